"""`Laggards`: connections whose next events only the database has: read for them page by page, in turn."""

from collections import deque
from collections.abc import Callable
from collections.abc import Sequence

import gevent

from chatapp.errors import Unavailable
from chatapp.receiving.carriers.connection import Connection
from chatapp.receiving.read_rate import ReadRate
from chatapp.receiving.stream import BYTES_PER_WRITE
from chatapp.receiving.stream import CATCH_UP_RETRY_S
from chatapp.receiving.stream import EVENTS_PER_WRITE
from chatapp.wire import Event

# Pages that are read from the database at once: a reader of months leaves room for others.
AT_ONCE_MAX = 8


class Laggards:
    """`give` is called with a connection and its page, which is empty when the database did not answer.

    It calls `add` again where the next page has to come from the database too. `guard` calls a step for a connection,
    and ends that connection alone when the step has a defect; it raises Unavailable.
    """

    def __init__(
        self, give: Callable[[Connection, Sequence[Event]], None], guard: Callable[..., None], read_rate: ReadRate
    ) -> None:
        self._give = give
        self._guard = guard
        self._read_rate = read_rate
        self._waiting: deque[Connection] = deque()
        self._running = 0

    def add(self, connection: Connection) -> None:
        """Read a page for it when its turn comes. It is in the queue once at most."""
        if connection.catching_up:
            return
        connection.catching_up = True
        self._waiting.append(connection)
        if self._running < AT_ONCE_MAX:
            self._running += 1
            gevent.spawn(self._run)

    def _run(self) -> None:
        try:
            while self._waiting:
                connection = self._waiting.popleft()
                if not connection.open:
                    continue
                if wait_s := self._read_rate.wait_s(connection.user_id):
                    # Its user has had so much that others come first.
                    gevent.spawn_later(wait_s, self._guard, self._go_on, connection)
                    continue
                try:
                    self._guard(self._read_page, connection)
                except Unavailable:
                    gevent.spawn_later(CATCH_UP_RETRY_S, self._guard, self._go_on, connection)
        finally:
            self._running -= 1

    def _read_page(self, connection: Connection) -> None:
        reader = connection.stream.reader
        events = reader.read(EVENTS_PER_WRITE, BYTES_PER_WRITE) if reader.needs_database else []
        self._read_rate.add_events(connection.user_id, len(events))
        self._go_on(connection, events)

    def _go_on(self, connection: Connection, page: Sequence[Event] = ()) -> None:
        connection.catching_up = False
        if connection.open:
            self._give(connection, page)
