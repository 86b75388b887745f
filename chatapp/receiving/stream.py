"""`Stream`: one Server-Sent Events connection, its life from `ready` to `closing`.

It knows what to say and when. How the bytes leave is up to the carrier.
"""

import random
import time
from functools import lru_cache
from typing import Any

from chatapp.eventlog import Waiter
from chatapp.people import Identity
from chatapp.receiving.closing import closing
from chatapp.receiving.poll import in_order
from chatapp.receiving.poll import wait_for_events
from chatapp.receiving.reader import Reader
from chatapp.runtime import utc_now
from chatapp.wire import Cursor
from chatapp.wire import codec
from chatapp.wire import sse

# Many events leave in one write, and a long catch-up still leaves room for others between its pages.
EVENTS_PER_WRITE = 200
# A reader that takes nothing keeps one write: of this size, or of one event more.
BYTES_PER_WRITE = 256 * 1024
CATCH_UP_RETRY_S = 1.0
# A reader that takes nothing for this long is gone; it comes back with its cursor.
WRITE_TIMEOUT_S = 20.0
LIFE_JITTER = 0.1
# The two clocks do not run exactly alike: at its end a session has so much left at most.
EXPIRES_WITHIN_S = 0.5
# For people.
RESET = "What was shown before this cursor may be lost, or it was never handed out: reload and go on from this one."
# Why a durable stream is over that has come to its own end, or whose room may not be read any more.
ENDED = "ended"
# The contract's "at least every": carriers are late by up to a tenth, so it is due that much earlier.
BEAT_PART = 0.9


class Stream:
    """`due_s`: when it has something to say besides events, or has to end. Like `begun_s` in monotonic seconds."""

    __slots__ = ("_ends_s", "_heartbeat_due_s", "_heartbeat_s", "_who", "begun_s", "reader")

    def __init__(self, reader: Reader, who: Identity, *, life_s: float, heartbeat_s: float) -> None:
        self.reader = reader
        self._who = who
        self._heartbeat_s = heartbeat_s
        self.begun_s = time.monotonic()
        jittered_s = life_s * random.uniform(1 - LIFE_JITTER, 1 + LIFE_JITTER)
        # Whichever comes first: its own end, or that of the session.
        self._ends_s = self.begun_s + min(jittered_s, (who.ends_at - utc_now()).total_seconds())
        self._heartbeat_due_s = self.begun_s + heartbeat_s * BEAT_PART

    @property
    def due_s(self) -> float:
        return min(self._heartbeat_due_s, self._ends_s)

    def over(self) -> str | None:
        """Why it has to end now, or None."""
        if self.reader.listener.closing:
            return self.reader.listener.closing
        if time.monotonic() < self._ends_s:
            return None
        left_s = (self._who.ends_at - utc_now()).total_seconds()
        return "expired" if left_s < EXPIRES_WITHIN_S else "rotate"

    def ready(self) -> bytes:
        """The first event, and a second one when the cursor it came with was never handed out."""
        ready = self._own(
            "ready",
            heartbeatSeconds=int(self._heartbeat_s) if self._heartbeat_s.is_integer() else self._heartbeat_s,
            user={"id": self._who.id, "name": self._who.name},
            rooms=sorted(room.name for room in self.reader.rooms),
        )
        if not self.reader.reset:
            return ready
        return ready + self._own("reset", reason=RESET)

    def news(self, waiter: Waiter) -> tuple[int, bytes]:
        """Wait for what is next, until something is due: how many events, and how they are said. Raises Unavailable.

        For the carrier whose greenlet waits; the other one writes frames that many share.
        """
        wait_s = self.due_s - time.monotonic()
        events = wait_for_events(self.reader, waiter, EVENTS_PER_WRITE, BYTES_PER_WRITE, wait_s)
        if not self.reader.behind:
            events = in_order(waiter.take_signals(), events)
        return len(events), b"".join([event.frame for event in events])

    def heartbeat(self) -> bytes:
        """The heartbeat if it is due; the next one is then due one interval later."""
        now_s = time.monotonic()
        if now_s < self._heartbeat_due_s:
            return b""
        # Not counted from now, which may be a little late: the delays would add up.
        self._heartbeat_due_s = max(self._heartbeat_due_s + self._heartbeat_s * BEAT_PART, now_s)
        return self._beat()

    def _beat(self) -> bytes:
        return _heartbeat(self.reader.position)

    def closing(self, reason: str) -> bytes:
        """The last event; nothing for a peer that is gone."""
        return b"" if reason == "gone" else closing(reason, self.reader.position)

    def _own(self, type_: str, **body: Any) -> bytes:
        """An event of this connection alone, at its position."""
        return _event(type_, self.reader.position, **body)


def _event(type_: str, position: Cursor, **body: Any) -> bytes:
    cursor = str(position)
    return sse.frame(type_, codec.dumps({"type": type_, "cursor": cursor, **body}), cursor)


# All who lead have the same one.
@lru_cache(maxsize=16)
def _heartbeat(position: Cursor) -> bytes:
    return _event("heartbeat", position)
