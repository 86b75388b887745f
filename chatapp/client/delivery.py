"""`delivery`: waiting until another member has received a message."""

import time

from chatapp.client.asking import ask
from chatapp.client.errors import Away
from chatapp.client.outgoing import Outgoing
from chatapp.client.sender import S
from chatapp.client.sender import Sender
from chatapp.client.step import Call
from chatapp.client.step import Flow
from chatapp.client.step import Pause

# A list of statuses costs five units of the rate of reading, of 200 a second.
LOOK_S = 0.5


def delivery(sender: Sender[S], outgoing: Outgoing, within_s: float) -> Flow[None]:
    """Whoever listens hears it by an event; whether or not anybody does, it is asked for. Raises Refused, Away."""
    gives_up_s = time.monotonic() + within_s
    query = {"localId": outgoing.local_id}
    while outgoing.state != "delivered":
        document = yield from ask(Call("GET", "messages/status", query=query))
        if document["results"][0]["status"] == "delivered":
            sender.delivered(outgoing.local_id)
        elif time.monotonic() > gives_up_s:
            raise Away(f"not delivered within {within_s} s")
        else:
            yield Pause(LOOK_S)
