"""`Stream`: one Server-Sent Events connection, its life from `ready` to `closing`.

It knows what to say and when, not how the bytes leave: the carrier asks for the next piece.
"""

import random
import time
from collections.abc import Iterator
from typing import Any

from chatapp import sse
from chatapp import wire
from chatapp.access import Identity
from chatapp.errors import Unavailable
from chatapp.event import Cursor
from chatapp.event import utc_now
from chatapp.reader import Reader

# Many events leave in one write, and a long catch-up still leaves room for others between its pages.
EVENTS_PER_WRITE = 200
LIFE_JITTER = 0.1
CATCH_UP_RETRY_S = 1.0

# How long a client is told to stay away, in milliseconds: a random time between the two, so that many
# do not come back as one.
RETRY_MS = {
    "rotate": (50, 500),
    "shutdown": (500, 3000),
    "signed_out": (1000, 3000),
    "expired": (1000, 3000),
    "too_many_connections": (3000, 6000),
    "unavailable": (1000, 4000),
}


class Stream:
    def __init__(self, reader: Reader, who: Identity, *, life_s: float, heartbeat_s: float) -> None:
        self._reader = reader
        self._who = who
        self._heartbeat_s = heartbeat_s
        now_s = time.monotonic()
        self._ends_s = now_s + life_s * random.uniform(1 - LIFE_JITTER, 1 + LIFE_JITTER)
        self._expires_s = now_s + (who.ends_at - utc_now()).total_seconds()
        self._heartbeat_due_s = now_s + heartbeat_s

    def pieces(self) -> Iterator[bytes]:
        """Everything this connection says, piece by piece, waiting in between. Ends with `closing`."""
        yield self._ready()
        while (reason := self._over()) is None:
            yield from self._events()
            if time.monotonic() >= self._heartbeat_due_s:
                self._heartbeat_due_s = time.monotonic() + self._heartbeat_s
                yield self._own("heartbeat")
        if reason != "gone":
            yield closing(reason, self._reader.position)

    def _events(self) -> Iterator[bytes]:
        until_s = min(self._heartbeat_due_s, self._ends_s, self._expires_s)
        try:
            events = self._reader.next(EVENTS_PER_WRITE, until_s - time.monotonic())
        except Unavailable:
            # Catching up needs the database. The connection stays: what is live comes by the window.
            self._reader.pause(CATCH_UP_RETRY_S)
            return
        if events:
            yield b"".join(event.frame for event in events)

    def _over(self) -> str | None:
        if self._reader.closing:
            return self._reader.closing
        if time.monotonic() >= self._expires_s:
            return "expired"
        return "rotate" if time.monotonic() >= self._ends_s else None

    def _ready(self) -> bytes:
        ready = self._own(
            "ready",
            heartbeatSeconds=int(self._heartbeat_s) if self._heartbeat_s.is_integer() else self._heartbeat_s,
            user={"id": self._who.id, "name": self._who.name},
            rooms=sorted(room.name for room in self._reader.rooms.values()),
        )
        if not self._reader.reset:
            return ready
        return ready + self._own("reset", reason="The cursor was never handed out: reload and go on from this one.")

    def _own(self, type_: str, **body: Any) -> bytes:
        """An event of this connection alone, at its position."""
        cursor = str(self._reader.position)
        return sse.frame(type_, wire.dumps({"type": type_, "cursor": cursor, **body}), cursor)


def closing(reason: str, position: Cursor | None = None) -> bytes:
    """The last event of a stream: why it ends, and when to come back."""
    retry_ms = random.randint(*RETRY_MS[reason])
    cursor = None if position is None else str(position)
    body = wire.dumps({"type": "closing", "cursor": cursor, "reason": reason, "retryAfterMs": retry_ms})
    return sse.retry(retry_ms) + sse.frame("closing", body, cursor)
