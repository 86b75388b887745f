"""`delivery`: waiting until another member has received a message."""

import time
from typing import Any

from chatapp.client.asking import ask
from chatapp.client.errors import Away
from chatapp.client.outgoing import Outgoing
from chatapp.client.sender import S
from chatapp.client.sender import Sender
from chatapp.client.step import Call
from chatapp.client.step import Flow
from chatapp.client.step import Pause

# A list of statuses costs five units of the rate of reading, of 200 a second.
STATUS_EVERY_S = 0.5


def delivery(sender: Sender[S], outgoing: Outgoing, gives_up_s: float) -> Flow[None]:
    """Whoever listens hears it by an event; whether or not anybody does, it is asked for. Raises Refused, Away.

    `gives_up_s` is a moment of the monotonic clock.
    """
    call = Call("GET", "messages/status", query={"localId": outgoing.local_id})
    while outgoing.state != "delivered":
        status = yield from ask(call, _status, gives_up_s - time.monotonic())
        if status == "delivered":
            sender.delivered(outgoing.local_id)
            # The sender may have forgotten it: it remembers the last ones only.
            outgoing.become("delivered", None)
        elif time.monotonic() > gives_up_s:
            raise Away("not delivered in the time that was given")
        else:
            yield Pause(STATUS_EVERY_S)


def _status(document: dict[str, Any]) -> Any:
    return document["results"][0]["status"]
