"""A room as a durable stream (Durable Streams): the events of its log, as JSON, behind offsets that sort as text."""

import time
from collections.abc import Sequence

from chatapp.eventlog import Waiter
from chatapp.people import Identity
from chatapp.receiving.poll import wait_for_events
from chatapp.receiving.read_rate import ReadRate
from chatapp.receiving.reader import Reader
from chatapp.receiving.stream import BYTES_PER_WRITE
from chatapp.receiving.stream import ENDED
from chatapp.receiving.stream import EVENTS_PER_WRITE
from chatapp.receiving.stream import Stream
from chatapp.wire import Event
from chatapp.wire import Signal
from chatapp.wire import durable
from chatapp.wire import sse


def no_signals(signal: Signal) -> bool:
    """What is said beside the log has no offset, and is no part of a durable stream."""
    return False


def items(events: Sequence[Event]) -> list[bytes]:
    """What has a place in the log: what has none yet comes again with one."""
    return [event.data for event in events if event.cursor is not None]


def items_document(found: Sequence[bytes]) -> bytes:
    return b"[%b]" % b",".join(found)


class DurableRoom(Stream):
    """Followed by Server-Sent Events. `cursor` is what caches know it by."""

    __slots__ = ("_cursor", "_read_rate", "_up_to_date")

    def __init__(
        self,
        reader: Reader,
        who: Identity,
        read_rate: ReadRate,
        cursor: str,
        *,
        life_s: float,
        heartbeat_s: float,
    ) -> None:
        super().__init__(reader, who, life_s=life_s, heartbeat_s=heartbeat_s)
        self._read_rate = read_rate
        self._cursor = cursor
        # Whether its client was told that there is no more just now.
        self._up_to_date = False

    def over(self) -> str | None:
        # Its room may not be read any more.
        return super().over() or (None if self.reader.rooms else ENDED)

    def ready(self) -> bytes:
        return sse.COMMENT

    def news(self, waiter: Waiter) -> tuple[int, bytes]:
        due_s = self.due_s - time.monotonic()
        if self.reader.behind and (pause_s := self._read_rate.wait_s(waiter.user_id)):
            waiter.pause(max(0.0, min(pause_s, due_s)))
            return 0, b""
        wait_s = due_s if self._up_to_date else 0.0
        events = wait_for_events(self.reader, waiter, EVENTS_PER_WRITE, BYTES_PER_WRITE, wait_s)
        self._read_rate.add_events(waiter.user_id, len(events))
        found = items(events)
        up_to_date = not self.reader.behind
        if not found and (self._up_to_date or not up_to_date):
            return 0, b""
        self._up_to_date = up_to_date
        said = durable.data(items_document(found)) if found else b""
        return len(found), said + self._control()

    def closing(self, reason: str) -> bytes:
        """The newest position: who comes back does not look again at what others said in other rooms."""
        return b"" if reason in ("gone", ENDED) else self._control()

    def _beat(self) -> bytes:
        return sse.COMMENT

    def _control(self) -> bytes:
        return durable.control(
            durable.room_offset(self.reader.position),
            self._cursor,
            up_to_date=not self.reader.behind,
        )
