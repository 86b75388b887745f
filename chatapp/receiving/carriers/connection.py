"""`Connection`: one detached stream: its socket, and those of its bytes that have not been written yet."""

import os
import time
from collections.abc import Callable
from contextlib import suppress

from chatapp import metrics
from chatapp.eventlog import Listener
from chatapp.receiving.receiving_log import Request
from chatapp.receiving.stream import Stream


class Connection(Listener):
    """`fd` is its socket, -1 before it has one and after its end; `rest` from `offset` on is not written yet.

    It leads when it has been given everything up to the end of the window; it is catching up while it waits for the
    database. Its carrier says which.
    """

    __slots__ = (
        "_on_end",
        "bytes",
        "catching_up",
        "events",
        "fd",
        "leading",
        "offset",
        "request_id",
        "rest",
        "stream",
        "stuck_since_s",
        "tick",
        "told_whole",
        "trace_id",
    )
    stream: Stream
    transport = metrics.STREAM

    def __init__(
        self, user_id: str, session_id: str, request: Request, on_end: Callable[["Connection", str], None]
    ) -> None:
        super().__init__(user_id, session_id)
        # One by one: thousands are open, and each object more is some bytes for each of them.
        self.request_id, self.trace_id = request
        # What it was given, and as much of it as its peer has taken.
        self.events = 0
        self.bytes = 0
        self._on_end = on_end
        self.fd = -1
        self.leading = False
        self.catching_up = False
        # Whether it was given what grew before it came.
        self.told_whole = False
        self.rest: bytes | None = None
        self.offset = 0
        self.stuck_since_s = 0.0
        # Its newest place in the wheel of its carrier; the wheel may hold older ones.
        self.tick = 0

    @property
    def request(self) -> Request:
        return Request(self.request_id, self.trace_id)

    @property
    def open(self) -> bool:
        return self.fd >= 0

    @property
    def stuck(self) -> bool:
        """Whether it waits until the peer takes more."""
        return self.rest is not None

    @property
    def stuck_s(self) -> float:
        """For how many seconds the peer has taken nothing."""
        return time.monotonic() - self.stuck_since_s if self.stuck else 0.0

    def follow(self, rooms: tuple[int, ...]) -> None:
        self.rooms = rooms

    def close(self, reason: str) -> None:
        self.closing = self.closing or reason
        self._on_end(self, reason)

    def leave(self) -> None:
        """Who leads is for its carrier to know."""

    def write(self, blob: bytes) -> None:
        """Write it after what waits already. Raises OSError when the peer is gone."""
        if self.rest is not None:
            self.rest = self.rest[self.offset :] + blob
            self.offset = 0
            return
        try:
            written = os.write(self.fd, blob)
        except BlockingIOError:
            written = 0
        self.bytes += written
        if written != len(blob):
            self.stick(blob, written)

    def stick(self, blob: bytes, written: int) -> None:
        """The peer took no more than this of it: keep the rest."""
        self.rest, self.offset = blob, written
        self.stuck_since_s = time.monotonic()

    def flush(self) -> None:
        """Write on, as far as the peer takes it. Raises OSError when it is gone."""
        assert self.rest is not None
        try:
            written = os.write(self.fd, memoryview(self.rest)[self.offset :])
        except BlockingIOError:
            return
        self.offset += written
        self.bytes += written
        self.stuck_since_s = time.monotonic()
        if self.offset == len(self.rest):
            self.rest, self.offset = None, 0

    def end(self, last: bytes) -> None:
        """Say a last word, as far as the peer takes it, and let go of the socket."""
        if last:
            rest = b"" if self.rest is None else self.rest[self.offset :]
            with suppress(OSError):
                self.bytes += os.write(self.fd, rest + last)
        os.close(self.fd)
        self.fd = -1
        self.rest = None
        # Stream, reader and listener know one another; without this they would wait for the garbage collector.
        del self.stream
