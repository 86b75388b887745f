"""`Backlog`: how much waits in the database to be published, and for how long."""

import time
from typing import NamedTuple
from typing import cast
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy import func
from sqlalchemy import select

from chatapp.runtime import now_ms
from chatapp.storage import Database
from chatapp.storage import EventRow
from chatapp.storage import Prepared
from chatapp.storage import rows_within
from chatapp.wire import event_types

# However many wait, no more are counted.
ROWS_MAX = 10_000
# A UUIDv7 begins with 48 bits of milliseconds since 1970 (RFC 9562).
UUID_TIME_SHIFT = 80

_EVENTS = cast(Table, EventRow.__table__)
_FIRST = select(_EVENTS).where(_EVENTS.c.log_id.is_(None)).order_by(_EVENTS.c.number).limit(ROWS_MAX).subquery("first")
# Of the messages among them the first one, whose id says when it was stored.
COUNTED = Prepared(
    select(
        func.count(),
        func.min(_FIRST.c.number),
        func.min(_FIRST.c.message_id).filter(_FIRST.c.type == event_types.MESSAGE_CREATED),
    )
)


class Waiting(NamedTuple):
    """`rows`: at most ROWS_MAX. `age_s`: for how many seconds the first of them has waited at least."""

    rows: int
    age_s: float


class Backlog:
    def __init__(self, database: Database) -> None:
        self._database = database
        # The first row that waited when it was looked last, and when that one was seen first.
        self._first: int | None = None
        self._since_s = 0.0

    def look(self) -> Waiting:
        """Raises Unavailable."""
        rows, first, message_id = self._database.read(lambda tx: rows_within(tx).ask(COUNTED)[0])
        if first != self._first:
            self._first, self._since_s = first, time.monotonic()
        if first is None:
            return Waiting(0, 0.0)
        # Joinings and edits do not say when they were made.
        return Waiting(rows, max(time.monotonic() - self._since_s, _age_s(message_id) if message_id else 0.0))


def _age_s(uuid: str) -> float:
    return max(0, now_ms() - (UUID(uuid).int >> UUID_TIME_SHIFT)) / 1000
