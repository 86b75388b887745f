"""`Incarnations`: which database this is, by its own word and by that of its server.

A database that is restored from a backup lacks what came after it, and so may a standby that takes over. It says the
same of itself as before; what tells is its server, or that a row is not there which was there before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session as Transaction

from chatapp.errors import Unavailable
from chatapp.eventlog.log_entry import Row
from chatapp.eventlog.uid import uid
from chatapp.storage import Database
from chatapp.storage import EventRow
from chatapp.storage import Incarnation
from chatapp.storage import Room
from chatapp.storage import one_of
from chatapp.wire import Cursor

# Each change of servers is one. Nobody brings a cursor that is older than so many.
READ_MAX = 100

# What each look asks, so that all else need not be asked again. A table that is restored is another one than before.
WRITTEN = "(SELECT max(number) FROM incarnations), (SELECT max(lost_until) FROM incarnations)"
POSTGRES = f"SELECT {WRITTEN}, pg_is_in_recovery(), 'events'::regclass::oid::text, pg_postmaster_start_time()::text"
SQLITE = f"SELECT {WRITTEN}, 0, '', ''"
# Another cluster has another identifier; a standby that is promoted begins a timeline, as does a server that is taken
# back to an earlier time. Not every server tells that everybody.
CLUSTER = """
SELECT system_identifier || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) FROM pg_control_system()
"""
LOCK = "LOCK TABLE incarnations IN SHARE ROW EXCLUSIVE MODE"


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


def same_server(one: str, other: str) -> bool:
    """Whether they may be the same: the one may say more than the other, which nobody had asked yet if it is empty."""
    return not one or not other or one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


class Incarnations:
    """Every method raises Unavailable, and what SQLAlchemy raises of a database that is not this service's."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asks = POSTGRES if database.dialect == "postgresql" else SQLITE
        # SQLite has one writer anyway.
        self._lock = text(LOCK if database.dialect == "postgresql" else "SELECT 1")
        self._tells = True
        self._file = ""
        # What was found the last time, and by which answer.
        self._answer: tuple[object, ...] = ()
        self._found: Look | None = None

    def look(self) -> Look:
        """Raises Unavailable for a standby, too: nothing can be stored there."""
        answer = self._ask(self._asks)
        if self._found is None or answer != self._answer:
            _, _, standby, table, started = answer
            self._found = None
            if standby:
                raise Unavailable("the database is a standby")
            server = self._server(table) if table else self._inode()
            query = select(Incarnation).order_by(Incarnation.number.desc()).limit(READ_MAX)
            self._found = Look(server, started, self._database.read(lambda tx: list(tx.scalars(query))))
            self._answer = answer
        return self._found

    def missing(self, rows: Sequence[Row]) -> list[Row]:
        """Those of these rows that are not there, or are something else, and were not deleted by this service: with
        their room, or by pruning."""
        if not rows:
            return []
        events = EventRow.__table__

        def work(tx: Transaction) -> tuple[set[str], set[int], int]:
            these = one_of(tx, events.c.number, [row.number for row in rows])
            rooms = one_of(tx, Room.id, {row.room_id for row in rows})
            pruned = select(Incarnation.pruned_until).order_by(Incarnation.number.desc()).limit(READ_MAX)
            return (
                set(tx.scalars(select(uid(events)).where(these))),
                set(tx.scalars(select(Room.id).where(rooms, Room.deleted_at.is_not(None)))),
                max((place or 0 for place in tx.scalars(pruned)), default=0),
            )

        there, deleted, pruned = self._database.read(work)
        return [row for row in rows if row.uid not in there and _is_evidence(row, deleted, pruned)]

    def begin(self, server: str, replaces: str, *, lost: bool) -> str:
        """The name under which the database goes on from the one that the log has, which is `replaces`, because its
        server is another one, or because something is lost. Of many that call this at once, all are given the same."""

        def work(tx: Transaction) -> str:
            # Before the newest is read: who waits for a row only sees that row as it is then, and not a newer one.
            tx.execute(self._lock)
            newest = tx.scalars(select(Incarnation).order_by(Incarnation.number.desc()).limit(1)).one()
            if replaces and newest.replaces == replaces:
                return newest.name
            if not lost and same_server(newest.server, server):
                newest.server = max(newest.server, server, key=len)
                return newest.name
            new = Incarnation(server=server, replaces=replaces)
            tx.add(new)
            tx.flush()
            return new.name

        self._found = None
        return self._database.write_always(work)

    def lose(self, name: str, after: Cursor, until: Cursor) -> None:
        """What stood between these places was shown, and is not there. Others may have found some of it."""

        def work(tx: Transaction) -> None:
            tx.execute(self._lock)
            one = tx.scalars(select(Incarnation).where(Incarnation.name == name)).one()
            one.lost_after = min(after.packed, after.packed if one.lost_after is None else one.lost_after)
            one.lost_until = max(until.packed, one.lost_until or 0)
            tx.flush()

        self._found = None
        self._database.write_always(work)

    def _ask(self, query: str) -> tuple[Any, ...]:
        return tuple(self._database.read(lambda tx: tx.execute(text(query)).one()))

    def _server(self, table: str) -> str:
        if self._tells:
            try:
                return f"{table}/{self._ask(CLUSTER)[0]}"
            except DBAPIError:
                self._tells = False
        return table

    def _inode(self) -> str:
        """As it was at the start: what is put in the place of an open file is not what is written to."""
        self._file = self._file or str(Path(self._database.engine.url.database or ".").stat().st_ino)
        return self._file


def _is_evidence(row: Row, deleted: set[int], pruned: int) -> bool:
    # What a version before this one published said only the number.
    return row.room_id not in deleted and row.cursor > pruned and row.uid != str(row.number)
