"""`LineQueue`: a log's handler that never waits: a worker whose log nobody reads goes on."""

import logging
import os
import select
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import gevent

from chatapp.runtime import Loop
from chatapp.runtime import Threads
from chatapp.runtime import gevent_ties

# The real one: it is called in a native thread.
sleep = gevent_ties.original("time", "sleep")

# Some seconds of a busy worker. What comes while so many wait is dropped, and how many that were is said.
LINES_MAX = 20_000
# Lines gather for so long: a write for each would cost as much as the line.
GATHER_S = 0.05
# Formatting so many takes a few milliseconds.
AT_ONCE_MAX = 500
# How long the end of a worker waits for a log that nobody reads.
LAST_S = 1.0
# What a pipe takes as a whole: so lines of several workers do not run into each other.
PIECE_BYTES = select.PIPE_BUF
# How long something that says it is full, as a pipe does that is set not to wait, has before it is asked again.
ROOM_WAIT_S = 0.05


class LineQueue(logging.Handler):
    """Writes what `like` writes, later, to the same place. Use it only in the loop, between `start` and `stop`."""

    def __init__(self, like: logging.StreamHandler[Any]) -> None:
        super().__init__(like.level)
        # What is used in the loop only, and waits for nothing, needs none.
        self.lock = None
        self.setFormatter(like.formatter)
        self._like = like
        self._records: deque[logging.LogRecord] = deque()
        self._dropped = 0
        # Of its own: whoever stops reading the log holds up nothing else.
        self._thread = Threads(1)
        self._loop = Loop("log", self._write, interval_s=60.0, pause_s=GATHER_S)

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        """Write what waits, within LAST_S."""
        with suppress(gevent.Timeout), gevent.Timeout(LAST_S):
            self._write()
        self._loop.stop()
        self._thread.close()

    def emit(self, record: logging.LogRecord) -> None:
        if len(self._records) >= LINES_MAX:
            self._dropped += 1
            return
        self._records.append(record)
        self._loop.wake()

    def _write(self) -> None:
        while self._records:
            records = [self._records.popleft() for _ in range(min(AT_ONCE_MAX, len(self._records)))]
            if self._dropped:
                records.append(_dropped(self._dropped))
                self._dropped = 0
            pieces = list(_pieces(f"{self.format(record)}\n".encode() for record in records))
            # Asked each time: a log that is rotated is another file afterwards. A descriptor of our own: while the
            # thread writes, the number may be closed and become somebody's connection.
            fd = os.dup(self._like.stream.fileno())
            self._thread.run(partial(_write_all, fd, pieces))


def _dropped(count: int) -> logging.LogRecord:
    text = "%d lines of the log were dropped: it is not read as fast as it is written"
    return logging.LogRecord(__name__, logging.WARNING, __file__, 0, text, (count,), None)


def _pieces(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Whole lines, as many as fit into PIECE_BYTES; one that is longer goes alone."""
    piece = b""
    for line in lines:
        if piece and len(piece) + len(line) > PIECE_BYTES:
            yield piece
            piece = b""
        piece += line
    if piece:
        yield piece


def _write_all(fd: int, pieces: list[bytes]) -> None:
    """In the thread; closes it. A log that cannot be written is lost: there is nowhere to say so."""
    try:
        for piece in pieces:
            rest = memoryview(piece)
            while rest:
                try:
                    rest = rest[os.write(fd, rest) :]
                except BlockingIOError:
                    sleep(ROOM_WAIT_S)
                except OSError:
                    break
    finally:
        os.close(fd)
