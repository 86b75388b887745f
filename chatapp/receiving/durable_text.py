"""The text of a message as a durable stream (Durable Streams): it grows from offset to offset, in code points, and is
closed once it grows no more."""

import math
import time
from collections.abc import Callable
from typing import Any

from chatapp.errors import NotFound
from chatapp.eventlog import Waiter
from chatapp.eventlog import growth
from chatapp.people import Identity
from chatapp.receiving.poll import wait_for_events
from chatapp.receiving.reader import Reader
from chatapp.receiving.stream import BYTES_PER_WRITE
from chatapp.receiving.stream import ENDED
from chatapp.receiving.stream import EVENTS_PER_WRITE
from chatapp.receiving.stream import Stream
from chatapp.storage import Message
from chatapp.wire import Signal
from chatapp.wire import durable
from chatapp.wire import sse


def grows(message_id: str) -> Callable[[Signal], bool]:
    """The signals of this one message. Who only visits a public room may read its messages, so hears these, too."""
    return lambda signal: signal.type == growth.GREW and signal.body["messageId"] == message_id


class GrowingText:
    """What a message says so far. Signals bring what is added; where one is missing, it is loaded.

    `load` gives the message as it is, or raises NotFound for who may not read it. The log, read by `reader`, tells of
    its end, and of the room's for this reader.
    """

    def __init__(self, message_id: str, load: Callable[[], Message], reader: Reader, waiter: Waiter) -> None:
        self._id = message_id
        self._load = load
        self.reader = reader
        self._waiter = waiter
        self.text = ""
        # Whether it grows no more; and whether it may not be read any more.
        self.closed = False
        self.lost = False
        self.load()

    def load(self) -> None:
        """Raises Unavailable."""
        try:
            message = self._load()
        except NotFound:
            self.lost = True
            return
        # While it was read, signals may have brought more.
        if not message.growing or len(message.text) > len(self.text):
            self.text = message.text
        self.closed = not message.growing

    def wait(self, length: int, seconds: float, ends_s: float = math.inf) -> None:
        """Until it is longer than that, or all there will be, or cannot be read any more, or the time is over.

        When the time is over it is loaded once more: a signal may have been lost. Raises Unavailable.
        """
        deadline_s = min(time.monotonic() + seconds, ends_s)
        while not self._settled(length):
            self._waiter.clear()
            self._look()
            if self._settled(length):
                return
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                if seconds > 0:
                    self.load()
                return
            self._waiter.wait(left_s)

    def _settled(self, length: int) -> bool:
        return self.closed or self.lost or self._waiter.closing is not None or len(self.text) > length

    def _look(self) -> None:
        """Take what the log and the signals say of it."""
        while events := wait_for_events(self.reader, self._waiter, EVENTS_PER_WRITE, BYTES_PER_WRITE, 0.0):
            for event in events:
                if event.message_id == self._id:
                    self._take_whole(event.body["message"])
        if not self.reader.rooms:
            self.lost = True
            return
        missing = False
        while self._waiter.signals and not self.closed:
            missing |= not self._take_part(self._waiter.signals.popleft().body)
        if missing:
            self.load()

    def _take_whole(self, message: dict[str, Any]) -> None:
        """As it is after its end, or a change. Its beginning says what is known already."""
        if not message["growing"]:
            self.text, self.closed = message["body"], True

    def _take_part(self, part: dict[str, Any]) -> bool:
        """Put a part where it belongs. False where something is missing before it."""
        at, text = part["at"], part["text"]
        if at > len(self.text):
            return False
        self.text += text[len(self.text) - at :]
        return True


class DurableText(Stream):
    """Followed by Server-Sent Events, from `length` on. `cursor` is what caches know it by."""

    __slots__ = ("_cursor", "_length", "_over", "_text", "_told")

    def __init__(
        self,
        text: GrowingText,
        who: Identity,
        length: int,
        cursor: str,
        *,
        life_s: float,
        heartbeat_s: float,
    ) -> None:
        super().__init__(text.reader, who, life_s=life_s, heartbeat_s=heartbeat_s)
        self._text = text
        self._length = length
        self._cursor = cursor
        self._told = self._over = False

    def over(self) -> str | None:
        return super().over() or (ENDED if self._over else None)

    def ready(self) -> bytes:
        return sse.COMMENT

    def news(self, waiter: Waiter) -> tuple[int, bytes]:
        self._text.wait(self._length, self.due_s - time.monotonic() if self._told else 0.0)
        self._over = self._text.closed or self._text.lost
        new = self._text.text[self._length :]
        if self._text.lost or not (new or self._text.closed or not self._told):
            return 0, b""
        self._told = True
        self._length += len(new)
        said = durable.data(new.encode()) if new else b""
        return bool(new), said + self._control()

    def closing(self, reason: str) -> bytes:
        return b""

    def _beat(self) -> bytes:
        return sse.COMMENT

    def _control(self) -> bytes:
        offset = durable.text_offset(self._length)
        return durable.control(offset, self._cursor, up_to_date=True, closed=self._text.closed)
