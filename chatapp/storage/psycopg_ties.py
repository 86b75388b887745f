"""Everything that depends on more of psycopg than other drivers have.

What would break it, in a new version of psycopg: `executemany(..., returning=True)` gives its results by something else
than `results()`, or no longer sends all of them in one round trip (its pipeline mode); a connection knows its pipeline
by another name than `_pipeline`, which sends by something else than `_communicate_gen`, or no longer flushes in
`_fetch_gen`; a connection waits by something else than `waiting.wait`, or what it waits for yields and takes other
states than 1 (to read), 2 (to write) and both.
"""

import select
from collections.abc import Generator
from collections.abc import Sequence
from typing import Any
from typing import TypeVar

from psycopg import Connection
from psycopg import Pipeline
from psycopg import waiting
from psycopg.errors import ReadOnlySqlTransaction

from chatapp.runtime import gevent_ties

T = TypeVar("T")

READ, WRITE = 1, 2
_original_wait: Any = waiting.wait
_poll: Any = gevent_ties.original("select", "poll")


def read_only(error: BaseException) -> bool:
    """Whether the server cannot be written: by now it is the standby of another, which is asked by connecting anew."""
    return isinstance(error, ReadOnlySqlTransaction)


def ask_each(cursor: Any, text: str, parameters: Sequence[dict[str, Any]]) -> list[list[tuple[Any, ...]]]:
    """What a query returns for each of these, in their order, in one round trip for all."""
    cursor.executemany(text, parameters, returning=True)
    return [result.fetchall() for result in cursor.results()]


class _Pipeline(Pipeline):
    """Sends all that has gathered where something is asked for, and at the end. psycopg sends each row by itself."""

    def _communicate_gen(self) -> Generator[Any, Any, None]:
        while self.command_queue:
            # Into libpq's buffer, which it sends in part when there is much of it.
            self.command_queue.popleft()()
        yield from ()


def begin(connection: Connection[Any]) -> None:
    """Begin a transaction that waits for the server only where it asks for something, and for its commit: each wait is
    a turn of the loop.

    Not by `Connection.pipeline`: after an error, that would wait for the server and log. Here it is dropped.
    """
    if not connection.autocommit:
        # psycopg would wait for its own BEGIN.
        connection.autocommit = True
    connection._pipeline = _Pipeline(connection)
    connection._pipeline.__enter__()
    connection.execute("BEGIN", prepare=False)


def commit(connection: Connection[Any]) -> None:
    """Commit what was begun so. Raises the first error of all that was sent, if no `ask` has raised it before."""
    connection.execute("COMMIT", prepare=False)
    assert connection._pipeline is not None
    connection._pipeline.__exit__(None, None, None)
    connection._pipeline = None


def give_back(connection: Any) -> None:
    """As others expect it."""
    if connection.autocommit:
        connection.autocommit = False


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
