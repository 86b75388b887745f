"""`Gather`: one call for all who ask at the same time."""

from collections import deque
from collections.abc import Callable
from typing import Generic
from typing import TypeVar

import gevent
from gevent.event import AsyncResult

A = TypeVar("A")
R = TypeVar("R")


class Gather(Generic[A, R]):
    """Whoever asks while a call is under way shares the next one, at most `most` of them.

    `call` answers a list of questions with as many answers, in the same order.
    """

    def __init__(self, call: Callable[[list[A]], list[R]], *, most: int, timeout_s: float) -> None:
        self._call = call
        self._most = most
        self._timeout_s = timeout_s
        self._waiting: deque[tuple[A, AsyncResult[R]]] = deque()
        self._running = False

    def ask(self, question: A) -> R:
        """Raises what `call` raises, and TimeoutError."""
        result: AsyncResult[R] = AsyncResult()
        self._waiting.append((question, result))
        if not self._running:
            self._running = True
            gevent.spawn(self._run)
        result.wait(self._timeout_s)
        if not result.ready():
            raise TimeoutError
        answer = result.get()
        assert answer is not None
        return answer

    def _run(self) -> None:
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
                try:
                    answers = self._call([question for question, _ in batch])
                except Exception as error:
                    for _, result in batch:
                        result.set_exception(error)
                else:
                    for (_, result), answer in zip(batch, answers, strict=True):
                        result.set(answer)
        finally:
            self._running = False
