"""`Incarnations`: which database this is, by its own word and by that of its server.

A database that is restored from a backup lacks what came after it, and so may a standby that takes over. It says the
same of itself as before; what tells is its server, or that a row is not there which was there before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session as Transaction

from chatapp.eventlog.live_log import Row
from chatapp.eventlog.uid import uid
from chatapp.storage import Database
from chatapp.storage import EventRow
from chatapp.storage import Incarnation
from chatapp.storage import one_of
from chatapp.wire import Cursor

# Each change of servers is one. Nobody brings a cursor that is older than so many.
READ_MAX = 100

_TABLE = "'events'::regclass::oid"
# Another cluster has another identifier; a standby that is promoted begins a timeline, as does a server that is taken
# back to an earlier time; and a table that is restored is another one than before.
SERVER = f"""
SELECT system_identifier || '/' || CASE WHEN pg_is_in_recovery() THEN 'standby'
    ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END || '/' || {_TABLE}, pg_postmaster_start_time()::text
FROM pg_control_system()
"""
# Where the server does not tell everybody.
TABLE = f"SELECT ({_TABLE})::text, pg_postmaster_start_time()::text"


@dataclass(frozen=True, slots=True)
class Look:
    """What the database is: how its server calls itself, since when it runs, and its incarnations, the newest first."""

    server: str
    started: str
    all: list[Incarnation]

    @property
    def newest(self) -> Incarnation:
        return self.all[0]

    @property
    def names(self) -> set[str]:
        return {one.name for one in self.all}


class Incarnations:
    """Every method raises Unavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asked = SERVER

    def look(self) -> Look:
        try:
            return self._database.read(self._look)
        except ProgrammingError:
            if self._asked == TABLE:
                raise
            self._asked = TABLE
            return self._database.read(self._look)

    def missing(self, rows: Sequence[Row]) -> list[Row]:
        """Those of these rows that are not there, or are something else."""
        events = EventRow.__table__

        def work(tx: Transaction) -> set[str]:
            these = one_of(tx, events.c.number, [row.number for row in rows])
            return set(tx.scalars(select(uid(events)).where(these)))

        there = self._database.read(work) if rows else set()
        return [row for row in rows if row.uid not in there]

    def begin(self, server: str, replaces: str, lost: tuple[Cursor, Cursor] | None) -> Incarnation:
        """The incarnation in which the database goes on from the one that the log has, which is `replaces`.

        Of many that call this at once, all are given the same. `lost`: what stood between these places is not there.
        """

        def work(tx: Transaction) -> Incarnation:
            query = select(Incarnation).order_by(Incarnation.number.desc()).limit(1).with_for_update()
            newest = tx.scalars(query).one()
            if replaces and newest.replaces == replaces:
                return newest
            if lost is None and newest.server in ("", server):
                newest.server = server
                tx.flush()
                return newest
            after, until = (None, None) if lost is None else (lost[0].packed, lost[1].packed)
            new = Incarnation(server=server, replaces=replaces, lost_after=after, lost_until=until)
            tx.add(new)
            tx.flush()
            return new

        return self._database.write(work)

    def _look(self, tx: Transaction) -> Look:
        if self._database.dialect == "postgresql":
            server, started = tx.execute(text(self._asked)).one()
        else:
            # A file that is put in the place of the old one is another file.
            server, started = str(Path(self._database.engine.url.database or ".").stat().st_ino), ""
        query = select(Incarnation).order_by(Incarnation.number.desc()).limit(READ_MAX)
        return Look(server, started, list(tx.scalars(query)))
