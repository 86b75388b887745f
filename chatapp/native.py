"""`Native`: a few threads beside gevent's loop, for work that would block it.

gevent's own pool makes an object of the loop for each task, and took as long as a short transaction.
"""

from collections import deque
from collections.abc import Callable
from typing import Any
from typing import TypeVar
from typing import cast

from gevent import get_hub
from gevent import monkey
from gevent.event import AsyncResult

T = TypeVar("T")

# The real ones: gevent's would run in the loop.
_start_new_thread = monkey.get_original("_thread", "start_new_thread")
_SimpleQueue = monkey.get_original("queue", "SimpleQueue")

Outcome = tuple[Any, Exception | None]


class _Task:
    __slots__ = ("given_up", "result", "work")

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work
        self.result: AsyncResult[Outcome] = AsyncResult()
        self.given_up = False


class Native:
    """So many threads, which start with the first work. To be used in the thread whose loop waits."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._ready: deque[_Task] = deque()
        self._work: Any = _SimpleQueue()
        self._done: deque[tuple[AsyncResult[Outcome], Outcome]] = deque()
        self._told: Any = None

    def run(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises, when a thread has done it.

        Who gives up waiting leaves it to its end if it has begun, and else it is not begun: so there must be a time-out
        around this, and a bound in the work.
        """
        if self._told is None:
            self._start()
        task = _Task(work)
        self._ready.append(task)
        if len(self._ready) == 1:
            # Not at once: the thread would wake up and find the interpreter taken until this one waits.
            get_hub().loop.run_callback(self._hand_over)
        try:
            value, error = cast(Outcome, task.result.get())
        except BaseException:
            task.given_up = True
            raise
        if error is not None:
            raise error
        return cast(T, value)

    def close(self) -> None:
        """End the threads behind the work that waits."""
        if self._told is not None:
            self._hand_over()
            for _ in range(self._threads):
                self._work.put(None)

    def _start(self) -> None:
        # Who waits has a time-out, and that keeps the loop going.
        self._told = get_hub().loop.async_(ref=False)
        self._told.start(self._tell)
        for _ in range(self._threads):
            _start_new_thread(self._serve, ())

    def _hand_over(self) -> None:
        while self._ready:
            self._work.put(self._ready.popleft())

    def _serve(self) -> None:
        while (task := self._work.get()) is not None:
            if task.given_up:
                continue
            outcome: Outcome
            try:
                outcome = task.work(), None
            except Exception as error:
                outcome = None, error
            self._done.append((task.result, outcome))
            self._told.send()
            # Not until the next work comes.
            del task, outcome

    def _tell(self) -> None:
        """In the loop, once for all that were done meanwhile."""
        while self._done:
            result, outcome = self._done.popleft()
            result.set(outcome)
