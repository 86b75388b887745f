"""Everything that depends on more of psycopg than other drivers have.

What would break it, in a new version of psycopg: `executemany(..., returning=True)` gives its results by something else
than `results()`, or no longer sends all of them in one round trip (its pipeline mode); a connection waits by something
else than `waiting.wait`, or what it waits for yields and takes other states than 1 (to read), 2 (to write) and both.
"""

import select
from collections.abc import Generator
from collections.abc import Sequence
from typing import Any
from typing import TypeVar

from psycopg import waiting

from chatapp.runtime import gevent_ties

T = TypeVar("T")

READ, WRITE = 1, 2
_original_wait: Any = waiting.wait
_poll: Any = gevent_ties.original("select", "poll")


def ask_each(cursor: Any, text: str, parameters: Sequence[dict[str, Any]]) -> list[list[tuple[Any, ...]]]:
    """What a query returns for each of these, in their order, in one round trip for all."""
    cursor.executemany(text, parameters, returning=True)
    return [result.fetchall() for result in cursor.results()]


def wait_in_the_loop() -> None:
    """Have psycopg wait by gevent's own watchers, where it would do so by gevent's imitation of poll(2).

    That takes a tenth of a millisecond each time, and a commit waits some ten times.
    """
    if gevent_ties.patched("select"):
        waiting.wait = _wait


def _wait(gen: Generator[Any, Any, T], fileno: int, interval: float = 0.0, timeout: float | None = None) -> T:
    """Like psycopg's own ways of waiting. It needs no `interval`, which is there for signals: `Database` bounds it."""
    if timeout is not None:
        found: T = _original_wait(gen, fileno, interval, timeout)
        return found
    ready = _poll()
    try:
        state = next(gen)
        while True:
            ready.register(fileno, (state & READ and select.POLLIN) | (state & WRITE and select.POLLOUT))
            events = ready.poll(0)
            if not events:
                gevent_ties.wait_for_io(fileno, state)
                events = ready.poll(0)
            state = gen.send(_state(events[0][1], state) if events else state)
    except StopIteration as end:
        value: T = end.value
        return value


def _state(events: int, awaited: int) -> int:
    """What it is ready for; all that was awaited where the connection is broken: libpq then says how."""
    return (events & select.POLLIN and READ) | (events & select.POLLOUT and WRITE) or awaited
