"""`Gather`: one call for all who ask at the same time."""

import time
from collections import deque
from collections.abc import Callable
from typing import Generic
from typing import TypeVar

import gevent
from gevent.event import AsyncResult

# Where several asked at once a moment ago, more will.
CROWD_S = 0.1

A = TypeVar("A")
R = TypeVar("R")


class Gather(Generic[A, R]):
    """Whoever asks while a call is under way shares the next one, at most `most` of them.

    `call` answers a list of questions with as many answers, in the same order; an exception among them is raised
    to whoever asked. It has a bound of its own; whoever waits for a call of others does so for `timeout_s`. Where
    several ask, they gather for `pause_s` between two calls.
    """

    def __init__(
        self, call: Callable[[list[A]], list[R | Exception]], *, most: int, timeout_s: float, pause_s: float = 0.0
    ) -> None:
        self._call = call
        self._most = most
        self._timeout_s = timeout_s
        self._pause_s = pause_s
        self._waiting: deque[tuple[A, AsyncResult[R]]] = deque()
        self._running = False
        # When several shared a call for the last time, where they are to gather.
        self._crowd_s = -CROWD_S

    def __len__(self) -> int:
        """How many wait for the next call."""
        return len(self._waiting)

    def ask(self, question: A) -> R:
        """Raises what `call` raises or answers, and TimeoutError."""
        if not self._running:
            if time.monotonic() - self._crowd_s >= CROWD_S:
                return self._ask_alone(question)
            self._running = True
            gevent.spawn(self._run)
        result: AsyncResult[R] = AsyncResult()
        self._waiting.append((question, result))
        result.wait(self._timeout_s)
        if not result.ready():
            raise TimeoutError
        answer: R = result.get()  # type: ignore[assignment]
        return answer

    def _ask_alone(self, question: A) -> R:
        """Nobody else asks just now: this needs no greenlet of its own."""
        self._running = True
        try:
            [answer] = self._call([question])
        finally:
            if self._waiting:
                gevent.spawn(self._run)
            else:
                self._running = False
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _more(self) -> bool:
        if self._pause_s:
            gevent.sleep(self._pause_s)
        return bool(self._waiting)

    def _run(self) -> None:
        try:
            while self._more():
                batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
                if self._pause_s and len(batch) > 1:
                    self._crowd_s = time.monotonic()
                try:
                    answers = self._call([question for question, _ in batch])
                except Exception as error:
                    answers = [error] * len(batch)
                for (_, result), answer in zip(batch, answers, strict=True):
                    if isinstance(answer, Exception):
                        result.set_exception(answer)
                    else:
                        result.set(answer)
        finally:
            self._running = False


def pause_s(workers: int, *, each_s: float, most_s: float) -> float:
    """How long to gather with so many workers: each has a part of what comes, one alone need not wait for company."""
    return min(most_s, each_s * (workers - 1))
