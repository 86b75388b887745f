"""`LogOwner`: the database that the log in Redis belongs to, and what of it is lost.

The log goes on for one database. A worker that finds another one behind its address (a backup that was restored, a
standby that was promoted) takes the log over for that: it is emptied, and goes on above all that was ever shown. A
worker whose database is not the log's, as when the network has cut a host off with the old server, changes nothing
until that is decided: what it stored would be thrown away with its database.
"""

import logging
from collections.abc import Callable
from contextlib import suppress

from gevent.lock import RLock
from sqlalchemy.exc import SQLAlchemyError

from chatapp.errors import RedisAway
from chatapp.errors import Unavailable
from chatapp.eventlog.incarnations import Incarnations
from chatapp.eventlog.incarnations import same_server
from chatapp.eventlog.kept_log import KeptLog
from chatapp.eventlog.live_log import LiveLog
from chatapp.eventlog.log_entry import Row
from chatapp.eventlog.tail import Tail
from chatapp.runtime import Loop
from chatapp.runtime import now_ms
from chatapp.storage import Database
from chatapp.storage import Incarnation
from chatapp.wire import Cursor

log = logging.getLogger(__name__)

CHECK_S = 2.0
# A database whose workers say nothing for so long may be succeeded by any other.
SILENT_S = 10.0
WITNESSES_MAX = 20
# A cursor this far ahead of the clock was never handed out, unless log or database know better.
AHEAD_MAX_MS = 60_000
FOREIGN = "The live log belongs to another database, which other workers serve."


class LogOwner:
    def __init__(self, database: Database, live_log: LiveLog, kept_log: KeptLog, tail: Tail) -> None:
        self._database = database
        self._incarnations = Incarnations(database)
        self._live_log = live_log
        self._kept_log = kept_log
        self._tail = tail
        # What was lost, from the place after the first up to the second.
        self._lost: list[tuple[Cursor, Cursor]] = []
        # What the server said of itself the last time.
        self._server: tuple[str, str] | None = None
        # The newest rows that were read from the log until then, and before each connection since: of all that were
        # published from another database, none can be among the first of these.
        self._witnesses: list[Row] = []
        # The incarnation for which the log went on, as far as this worker knew.
        self._held = ""
        # One at a time: the tail asks as well.
        self._checking = RLock()
        self._loop = Loop("log owner", self.check, interval_s=CHECK_S, refused_by=SQLAlchemyError)
        # Called when it was found that something is lost which may have been shown.
        self.on_lost: list[Callable[[], None]] = []

    def start(self) -> None:
        """Find out, now or when the servers answer: before anything is read from the log or published."""
        with suppress(Unavailable, RedisAway, SQLAlchemyError):
            self.check()
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    def continues(self, cursor: Cursor) -> bool:
        """Whether who stands there goes on without a gap: it was handed out, and nothing that was shown before it is
        lost. Raises Unavailable."""
        if self._may_be_lost(cursor):
            return False
        if cursor.milliseconds - now_ms() <= AHEAD_MAX_MS or cursor <= self._tail.end:
            return True
        return cursor <= self._kept_log.newest_anywhere()

    def now(self) -> Cursor:
        """Where this worker's readers begin: at the end of what it has read, and behind what is lost. Raises
        Unavailable."""
        end = self._tail.end
        return max([end, *(Cursor(until + 1) for after, until in self._lost if after < end <= until)])

    def check(self) -> None:
        """Raises Unavailable, RedisAway, and what `Incarnations` raises."""
        with self._checking:
            # Another worker may have taken it over in between, for the same database.
            if self._check() or self._check():
                return
            # Or for a follower of this server, to which the address leads by now: old connections stay where they are.
            with suppress(Unavailable):
                self._database.follow_address()
            if not self._check():
                self._refuse()

    def look_again(self) -> None:
        """Something may have been lost. Raises RedisAway."""
        # What the database says to it is told by the loop.
        with suppress(Unavailable, SQLAlchemyError):
            self.check()

    def connected(self) -> None:
        """There is another connection to the database, perhaps to another server."""
        self._note()
        self._loop.wake()

    def _note(self) -> None:
        if self._tail.newest_row is not None and len(self._witnesses) < WITNESSES_MAX:
            self._witnesses.append(self._tail.newest_row)

    def _check(self) -> bool:
        """False if another one has the log."""
        # In this order: whoever has taken it over is among the incarnations. And before the database is asked, which
        # may be away: its workers are at work all the same.
        holder, at_work = self._live_log.holder(self._held, SILENT_S)
        look = self._incarnations.look()
        self._learn_lost(look.all)
        succeeds = holder in look.names or holder in ("", self._held)
        if at_work and not succeeds:
            return False
        name = look.newest.name
        # Only then may something be missing.
        changed = self._server != (look.server, look.started) or holder not in ("", self._held)
        lost = changed and bool(self._missing(None))
        if lost or not look.newest.server or not same_server(look.server, look.newest.server):
            name = self._incarnations.begin(look.server, holder, lost=lost)
        holder, ended = self._live_log.claim(name, holder if succeeds else "", SILENT_S)
        if holder != name:
            return False
        if ended is not None:
            self._go_on(name, ended)
        self._live_log.database = self._held = name
        self._database.refuses = None
        self._server = look.server, look.started
        self._witnesses.clear()
        self._note()
        return True

    def _go_on(self, name: str, ended: Cursor) -> None:
        """The log was taken over, and nobody can publish for the database of before any more: it ended here. Find out
        what of it is lost, and let it go on behind that."""
        missing = self._missing(ended)
        if missing:
            # Others may have published from this database already.
            after = self._kept_log.newest_before(min(row.cursor for row in missing))
            self._incarnations.lose(name, after, ended)
            self._learn_lost(self._incarnations.look().all)
        end = self._live_log.break_log(max([ended, *(until for _, until in self._lost)]))
        if end is not None:
            log.warning("the log goes on for another database than before, from %s", end)

    def _missing(self, until: Cursor | None) -> list[Row]:
        """Rows that were read from the log, up to a place, and are not in the database."""
        rows = [*self._witnesses, *self._live_log.newest_rows(until)]
        rows = [row for row in rows if not self._may_be_lost(row.cursor) and (until is None or row.cursor <= until)]
        return self._incarnations.missing(rows)

    def _may_be_lost(self, cursor: Cursor) -> bool:
        return any(after < cursor <= until for after, until in self._lost)

    def _learn_lost(self, incarnations: list[Incarnation]) -> None:
        found = {
            (Cursor(one.lost_after), Cursor(one.lost_until))
            for one in incarnations
            if one.lost_after is not None and one.lost_until is not None
        }
        if found - set(self._lost):
            self._lost = sorted(found)
            for tell in self.on_lost:
                tell()

    def _refuse(self) -> None:
        if self._database.refuses is None:
            log.error("DATABASE_URL: %s Nothing is stored here until they end, or this one takes over.", FOREIGN)
        self._database.refuses = FOREIGN
        self._live_log.database = ""
