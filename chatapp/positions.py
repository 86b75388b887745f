"""`Positions`: what the database knows of the log: its newest position, and the rows that have none yet."""

from sqlalchemy import func
from sqlalchemy import select

from chatapp.database import Database
from chatapp.event import Cursor
from chatapp.event_log import EventLog
from chatapp.models import EventRow
from chatapp.redis_link import RedisAway

# Rows are published oldest first, at most some hundred at once by each worker. With Redis away for long
# many more wait, and none of them is in the log.
UNRECORDED_MAX = 2000


class Positions:
    def __init__(self, database: Database, event_log: EventLog) -> None:
        self._database = database
        self._event_log = event_log

    def unrecorded(self) -> frozenset[int]:
        """The numbers of the oldest committed rows without a cursor: among them all that are in the log already."""
        query = select(EventRow.number).where(EventRow.log_id.is_(None)).order_by(EventRow.number).limit(UNRECORDED_MAX)
        return self._database.read(lambda tx: frozenset(tx.connection().scalars(query)))

    def newest(self) -> Cursor:
        """The newest cursor in the database."""
        query = select(func.max(EventRow.log_id)).where(EventRow.log_id.is_not(None))
        return Cursor(self._database.read(lambda tx: tx.scalar(query)) or 0)

    def newest_anywhere(self) -> Cursor:
        """The newest cursor in database and log; the database's alone while Redis is away."""
        newest = self.newest()
        try:
            return max(newest, self._event_log.last())
        except RedisAway:
            return newest
