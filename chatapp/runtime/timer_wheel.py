"""`TimerWheel`: thousands of timers that may be a little late, at the cost of one."""

import time
from collections.abc import Iterator
from typing import Generic
from typing import TypeVar

T = TypeVar("T")


class TimerWheel(Generic[T]):
    """Items by the tick of `tick_s` seconds in which they are due. They come up to two ticks late, never early.

    Nothing is ever taken out: whoever puts an item in again keeps its newest tick, and ignores the others.
    """

    def __init__(self, tick_s: float) -> None:
        self.tick_s = tick_s
        self._by_tick: dict[int, list[T]] = {}
        self._turned = self._tick(time.monotonic())

    def rest_s(self, most_s: float) -> float:
        """How long nothing comes due, at most `most_s`, if nothing is put in meanwhile."""
        if not self._by_tick:
            return most_s
        return max(0.0, min(most_s, min(self._by_tick) * self.tick_s - time.monotonic()))

    def put(self, item: T, due_s: float) -> int:
        """Have it come once the monotonic clock has passed `due_s`. Returns its tick."""
        tick = max(self._tick(due_s), self._turned) + 1
        self._by_tick.setdefault(tick, []).append(item)
        return tick

    def turn(self) -> Iterator[tuple[int, T]]:
        """What has come due since the last turn, with its tick."""
        now = self._tick(time.monotonic())
        while self._turned < now:
            self._turned += 1
            for item in self._by_tick.pop(self._turned, ()):
                yield self._turned, item

    def _tick(self, moment_s: float) -> int:
        return int(moment_s / self.tick_s)
