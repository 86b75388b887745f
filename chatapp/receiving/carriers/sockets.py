"""`Sockets`: which of the connected peers are gone, and which can be written to again."""

import os
import select
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from gevent.socket import wait_read

from chatapp.eventlog import Waiter
from chatapp.runtime import gevent_ties

# In the environ: the socket of this request, where the server lets it be watched and taken.
SOCKET = "chatapp.socket"

READY_MAX = 1024
# Input is not watched: what a peer says after its request would wake this for ever.
GONE = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR


class Sockets:
    """One epoll for all: for requests whose greenlets wait for something else, and for streams that have none."""

    def __init__(self) -> None:
        self._epoll: Any = None
        # Readable when `turn` is to come back early.
        self._woken = -1
        self._waiters: dict[int, Waiter] = {}

    @property
    def watched(self) -> bool:
        """Between `start` and `stop`."""
        return self._epoll is not None

    def start(self) -> None:
        # gevent takes epoll away, because it would block; asked with a time-out of 0 it does not.
        self._epoll = gevent_ties.original("select", "epoll")()
        self._woken = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._epoll.register(self._woken, select.EPOLLIN)

    def stop(self) -> None:
        if self._epoll is not None:
            self._epoll.close()
            self._epoll = None
            os.close(self._woken)

    def wake(self) -> None:
        """Have `turn` come back now."""
        if self._epoll is not None:
            os.eventfd_write(self._woken, 1)

    def add(self, fd: int) -> None:
        """Raises OSError when the system watches as many as it can (fs.epoll.max_user_watches)."""
        self._epoll.register(fd, GONE)

    def discard(self, fd: int) -> None:
        """Call it before closing the descriptor: a duplicate that somebody else holds would keep it here."""
        self._epoll.unregister(fd)

    def await_room(self, fd: int, awaited: bool) -> None:
        """Whether `turn` is to say when this one can be written to."""
        self._epoll.modify(fd, GONE | select.EPOLLOUT if awaited else GONE)

    def watch(self, environ: dict[str, Any], waiter: Waiter) -> int:
        """Close the waiter with `gone` once the peer of this request is, until `unwatch` with what this returns."""
        connection = environ.get(SOCKET)
        if connection is None or self._epoll is None:
            return -1
        fd: int = connection.fileno()
        self._epoll.register(fd, GONE)
        self._waiters[fd] = waiter
        return fd

    def unwatch(self, fd: int) -> None:
        if self._waiters.pop(fd, None) is not None and self._epoll is not None:
            self._epoll.unregister(fd)

    def turn(self, seconds: float) -> Iterator[tuple[int, bool]]:
        """Wait for any of them, at most this long. Yields those that were added, and whether each is gone.

        A descriptor is not used again before this is through, as long as nothing waits in between.
        """
        with suppress(TimeoutError):
            wait_read(self._epoll.fileno(), timeout=seconds)
        for fd, ready in self._epoll.poll(0, READY_MAX):
            if fd == self._woken:
                os.eventfd_read(fd)
                continue
            waiter = self._waiters.get(fd)
            if waiter is None:
                yield fd, bool(ready & GONE)
            else:
                waiter.close("gone")
                self.unwatch(fd)
