"""`GrowingText`: a reply that grows, from its begin to its end, whatever the network does meanwhile."""

import time
from typing import Any
from urllib.parse import quote

from chatapp.client.asking import PATIENCE_S
from chatapp.client.asking import ask
from chatapp.client.asking import nothing
from chatapp.client.errors import Away
from chatapp.client.errors import Refused
from chatapp.client.errors import ReplyEnded
from chatapp.client.message import Message
from chatapp.client.outbox import Outbox
from chatapp.client.send_document import new_local_id
from chatapp.client.step import Call
from chatapp.client.step import Flow
from chatapp.client.step import Idle
from chatapp.client.step import Pause

# A user may append 50 times a second, over all replies; what is written in between is gathered.
APPEND_EVERY_S = 0.1
# The contract's bounds, in code points.
APPEND_MAX = 4_000
EDIT_MAX = 4_000
REPLY_MAX = 32_000
# With nothing to append it is woken by `write`; this only bounds its sleep.
IDLE_S = 60.0
# How often it looks whether what was sent before in the room has gone out.
QUEUE_EVERY_S = 0.05


class GrowingText:
    """`text` is what was written, `stands` what the service has of it.

    Where the service has something else, because an earlier process began this reply, or an answer was lost: as long
    as one is the beginning of the other, it goes on from there. Otherwise nothing is appended any more, and the whole
    text is put in its place when the reply is finished.
    """

    def __init__(self, outbox: Outbox, room: str, body: str, data: dict[str, Any] | None, local_id: str | None) -> None:
        self._outbox = outbox
        self._room = room
        local_id = new_local_id() if local_id is None else local_id
        self._document = {"localId": local_id, "body": body, "data": data, "growing": True}
        self.text = body
        self.stands = ""
        self.message: Message | None = None
        self.ended = False
        self._ended_before = False
        self._finishing = False
        self.finished = False

    def write(self, text: str) -> None:
        """Raises ValueError beyond what a reply holds."""
        if len(self.text) + len(text) > REPLY_MAX:
            raise ValueError(f"a reply holds up to {REPLY_MAX} code points")
        self.text += text

    @property
    def rest(self) -> str:
        """What may be appended now."""
        return self.text[len(self.stands) :] if self.text.startswith(self.stands) else ""

    def beginning(self) -> Flow[None]:
        """Behind what was sent before in this room. Raises Away, Refused."""
        gives_up_s = time.monotonic() + PATIENCE_S
        while self._outbox.waiting(self._room):
            if time.monotonic() > gives_up_s:
                raise Away(f"what was sent before in {self._room} still waits")
            yield Pause(QUEUE_EVERY_S)
        call = Call("POST", f"rooms/{quote(self._room, safe='')}/messages", self._document)
        self._stands_as((yield from ask(call, Message.of)))
        self._ended_before = self.ended

    def appending(self) -> Flow[None]:
        """Until it is finished, or has ended. Raises Away, Refused."""
        while not (self.ended or self._finishing):
            if self.rest:
                yield from self._append(self.rest[:APPEND_MAX])
                yield Pause(APPEND_EVERY_S)
            else:
                yield Idle(IDLE_S)

    def finish_soon(self) -> None:
        """`appending` ends after what it is at."""
        self._finishing = True

    def finishing(self, body: str | None) -> Flow[Message]:
        """The rest, and the end; a body stands instead of what there is. Raises Away, Refused, ReplyEnded."""
        while body is None and self.rest and not self.ended:
            yield from self._append(self.rest[:APPEND_MAX])
        if body is not None:
            self.text = body
        if not self.ended:
            new = {} if self.text == self.stands else {"body": self.text}
            self._stands_as((yield from ask(self._call("POST", "/finish", new), Message.of)))
        if self.text != self.stands:
            yield from self._amend()
        self.finished = True
        assert self.message is not None
        return self.message

    def _amend(self) -> Flow[None]:
        """It ended too early. What is only its beginning is edited; what else an earlier process said stands."""
        if self.text.startswith(self.stands) and len(self.text) <= EDIT_MAX:
            self._stands_as((yield from ask(self._call("PATCH", "", {"body": self.text}), Message.of)))
        elif not self._ended_before:
            raise ReplyEnded(f"the reply ended with {len(self.stands)} code points, before all was in it")

    def _append(self, text: str) -> Flow[None]:
        try:
            yield from ask(self._call("POST", "/append", {"at": len(self.stands), "text": text}), nothing)
            self.stands += text
        except Refused as refusal:
            if refusal.code != "out_of_step":
                raise
            self._stands_as((yield from ask(self._call("GET", ""), Message.of)))

    def _stands_as(self, message: Message) -> None:
        self.message = message
        self.stands = message.body
        self.ended = not message.growing

    def _call(self, method: str, what: str, body: dict[str, Any] | None = None) -> Call:
        assert self.message is not None
        return Call(method, f"messages/{self.message.id}{what}", body)
