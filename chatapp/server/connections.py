"""`Connections`: all connections of a worker, and which of them give way when places or memory run short."""

import math
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chatapp.runtime import gevent_ties
from chatapp.server.gunicorn_ties import PeerWentAway

# With so few places left, a new connection takes the place of another.
PLACES_KEPT_FREE = 32
# A request, or its body, that is on its way for this long may be one that never comes: most are there at once.
UNFINISHED_S = 0.25
# What the kernel does not take at once is kept here until the peer takes it. All answers that are being written may
# hold this much together; then the one that has taken longest is given up.
UNSENT_MAX_BYTES = 64 * 1024 * 1024
# The kernel takes a smaller one whole.
UNSENT_MIN_BYTES = 64 * 1024


class Connections:
    """By their greenlets. Nothing here waits: connections are ended in the loop itself, so that nothing comes between
    the look and the end."""

    def __init__(self, most: int) -> None:
        self._full = most - min(PLACES_KEPT_FREE, most // 4)
        self._clients: dict[Any, Any] = {}
        # Those that wait for their next request, longest first; and those of them that wait for their first.
        self._idle: dict[Any, float] = {}
        self.new: set[Any] = set()
        # Those whose body is on its way, and those whose answer is, with its size; longest first.
        self._unfinished: dict[Any, float] = {}
        self._unsent: dict[Any, int] = {}
        self._unsent_bytes = 0

    def add(self, greenlet: Any, client: Any) -> None:
        self._clients[greenlet] = client
        self.new.add(greenlet)
        self._make_room(greenlet)

    def remove(self, greenlet: Any) -> None:
        del self._clients[greenlet]
        self.sent(greenlet)
        self.new.discard(greenlet)

    def waits(self, greenlet: Any) -> None:
        """It may be ended until `goes_on`."""
        self._idle[greenlet] = time.monotonic()
        self._make_room(greenlet)

    def goes_on(self, greenlet: Any) -> None:
        self._idle.pop(greenlet, None)
        self.new.discard(greenlet)

    @contextmanager
    def unfinished(self, greenlet: Any) -> Iterator[None]:
        """While the rest of its request is on its way, it gives way like one that waits."""
        self._unfinished[greenlet] = time.monotonic()
        try:
            yield
        finally:
            del self._unfinished[greenlet]

    def unsent(self, greenlet: Any, size: int) -> None:
        """An answer of this many bytes is being written, until `sent`."""
        if size < UNSENT_MIN_BYTES or greenlet in self._unsent:
            return
        self._unsent[greenlet] = size
        self._unsent_bytes += size
        if self._unsent_bytes > UNSENT_MAX_BYTES:
            gevent_ties.run_in_loop(self._end_unsent, greenlet)

    def sent(self, greenlet: Any) -> None:
        self._unsent_bytes -= self._unsent.pop(greenlet, 0)

    def end_idle(self, spared: set[Any] | None = None, before_s: float = math.inf) -> None:
        """End connections that have been idle since before `before_s`. To be run in the loop."""
        self._end_idle(spared or set(), None, before_s)

    def _make_room(self, newest: Any) -> None:
        """With few places left, the connection gives way that has waited longest for a request, or for the rest of one;
        else one whose answer takes long; else whoever came just before the newest."""
        if len(self._clients) > self._full:
            gevent_ties.run_in_loop(self._end_one, newest)

    def _end_one(self, newest: Any) -> None:
        if len(self._clients) <= self._full:
            return
        before_s = time.monotonic() - UNFINISHED_S
        late = [one for one, since_s in self._unfinished.items() if since_s < before_s][:1]
        if self._end_idle({newest}, 1, min([before_s, *(self._unfinished[one] for one in late)])):
            return
        for greenlet in late or list(self._unsent)[:1]:
            greenlet.throw(PeerWentAway)
            return
        self._end_idle({newest}, 1)

    def _end_idle(self, spared: set[Any], most: int | None = None, before_s: float = math.inf) -> int:
        """The longest first. Returns how many were ended."""
        ended = 0
        for greenlet, since_s in list(self._idle.items()):
            if ended == most or since_s >= before_s:
                break
            if greenlet in self._idle and greenlet not in spared and not _has_input(self._clients[greenlet]):
                greenlet.throw(PeerWentAway)
                ended += 1
        return ended

    def _end_unsent(self, newest: Any) -> None:
        for greenlet in list(self._unsent):
            if self._unsent_bytes <= UNSENT_MAX_BYTES:
                return
            if greenlet is not newest and greenlet in self._unsent:
                greenlet.throw(PeerWentAway)


def _has_input(client: Any) -> bool:
    """Whether there is something to read: a request that was not looked at yet, or the peer's own end."""
    look = gevent_ties.original("select", "poll")()
    look.register(client.fileno(), select.POLLIN)
    return bool(look.poll(0))
