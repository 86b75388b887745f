"""`Threads`: a few native threads beside gevent's loop, for work that would block it.

gevent's own pool makes an object of the loop for each task, which took as long as a short transaction.
"""

from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from typing import TypeVar
from typing import cast

from gevent.event import AsyncResult
from gevent.event import Event as Flag

from chatapp.runtime import gevent_ties

T = TypeVar("T")

# The real ones: gevent's would run in the loop.
_start_new_thread = gevent_ties.original("_thread", "start_new_thread")
_SimpleQueue = gevent_ties.original("queue", "SimpleQueue")

# As long as a statement may take, and a little.
END_MAX_S = 4.0

Outcome = tuple[Any, Exception | None]


class _Task:
    __slots__ = ("given_up", "result", "work")

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work
        self.result: AsyncResult[Outcome] = AsyncResult()
        self.given_up = False


def native_lock() -> AbstractContextManager[Any]:
    """For these threads among themselves, never for the loop, which it would stop."""
    lock: AbstractContextManager[Any] = gevent_ties.original("_thread", "allocate_lock")()
    return lock


class Threads:
    """A fixed number of threads, which start with the first work. Use it only in the thread whose loop waits."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._ready: deque[_Task] = deque()
        self._work: Any = _SimpleQueue()
        # Without a result: a thread that ends.
        self._done: deque[tuple[AsyncResult[Outcome] | None, Outcome]] = deque()
        self._told: gevent_ties.Signal | None = None
        self._left = 0
        self._all_left = Flag()

    def run(self, work: Callable[[], T]) -> T:
        """Have a thread do the work. Returns or raises what it does.

        If the caller gives up waiting, work that has begun goes on to its end, and other work is not begun. So put a
        time-out around this call and a bound into the work.
        """
        if self._told is None:
            self._start()
        task = _Task(work)
        self._ready.append(task)
        if len(self._ready) == 1:
            # Not at once: the thread would wake up only to wait for the interpreter until this one waits.
            gevent_ties.run_in_loop(self._hand_over)
        try:
            value, error = cast(Outcome, task.result.get())
        except BaseException:
            task.given_up = True
            raise
        if error is not None:
            raise error
        return cast(T, value)

    def close(self) -> None:
        """End the threads after the work that waits, and wait for that up to END_MAX_S: a process that ends under them
        takes away what they use."""
        if self._told is not None:
            self._hand_over()
            for _ in range(self._count):
                self._work.put(None)
            self._all_left.wait(END_MAX_S)

    def _start(self) -> None:
        # It need not keep the loop going: whoever waits has a time-out, which does.
        self._told = gevent_ties.thread_signal(self._tell)
        for _ in range(self._count):
            _start_new_thread(self._serve, (self._told,))

    def _hand_over(self) -> None:
        while self._ready:
            self._work.put(self._ready.popleft())

    def _serve(self, told: gevent_ties.Signal) -> None:
        while (task := self._work.get()) is not None:
            if task.given_up:
                continue
            outcome: Outcome
            try:
                outcome = task.work(), None
            except Exception as error:
                outcome = None, error
            self._done.append((task.result, outcome))
            told.send()
            # Do not keep them alive until the next work comes.
            del task, outcome
        self._done.append((None, (None, None)))
        told.send()

    def _tell(self) -> None:
        """In the loop, once for everything that was done meanwhile."""
        while self._done:
            result, outcome = self._done.popleft()
            if result is not None:
                result.set(outcome)
                continue
            self._left += 1
            if self._left == self._count:
                self._all_left.set()
