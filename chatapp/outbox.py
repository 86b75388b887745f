"""`Outbox`: publishes what is committed and not yet in the log, in order.

The rows without a `log_id` are the outbox. Whoever commits publishes all of them, whoever wrote them, and
the script answers a repeat with the first id: so there is no leader and no lock, and the relay that runs on
a timer is the same call. A commit that finds no rows but this worker's own need not read them again.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import cast

from gevent.event import AsyncResult
from sqlalchemy import Table
from sqlalchemy import bindparam
from sqlalchemy import case
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session as Transaction

from chatapp import render
from chatapp.admission import accepted
from chatapp.background import Loop
from chatapp.database import Database
from chatapp.event import Cursor
from chatapp.event import Entry
from chatapp.event_log import EventLog
from chatapp.hub import Hub
from chatapp.models import EventRow
from chatapp.models import Message
from chatapp.positions import Positions
from chatapp.recent import Recent
from chatapp.redis_link import RedisAway
from chatapp.redis_link import RedisLink
from chatapp.rows import Prepared
from chatapp.rows import Rows

# One call of the script holds Redis for a few milliseconds at this size.
PUBLISH_MAX = 200
RELAY_INTERVAL_S = 2.0
# An answer to a send waits this long for its cursor: the contract's bound.
CURSOR_WAIT_S = 0.2
REMEMBERED = 10_000
# A room of two thousand has its news in half of this time.
FIRST_OUT_S = 0.05

_EVENTS, _MESSAGES = cast(Table, EventRow.__table__), cast(Table, Message.__table__)
RECORD_EVENT = Prepared(
    update(_EVENTS)
    .where(_EVENTS.c.number == bindparam("row"))
    .where(_EVENTS.c.log_id.is_(None) | (_EVENTS.c.log_id < bindparam("place")))
    .values(log_id=bindparam("place"))
)
RECORD_MESSAGE = Prepared(
    update(_MESSAGES)
    .where(_MESSAGES.c.id == bindparam("row"), _MESSAGES.c.log_id.is_(None))
    .values(log_id=bindparam("place"))
)


class Outbox:
    """Publish after every commit (`wake`), and on a timer what others left behind."""

    def __init__(
        self, database: Database, event_log: EventLog, link: RedisLink, hub: Hub, positions: Positions
    ) -> None:
        self._database = database
        self._event_log = event_log
        self._link = link
        self._hub = hub
        self._positions = positions
        self._published: Recent[int, Cursor] = Recent(REMEMBERED)
        # Who waits for the cursor of which row.
        self._awaited: dict[int, AsyncResult[Cursor | None]] = {}
        # Committed here just now, in order, and not published yet; they need not be read from the database.
        self._fresh: deque[Entry] = deque()
        # The numbers of those and of the ones that are being published.
        self._own: set[int] = set()
        # The numbers of rows that waited besides, and whether there are more of which only the database knows.
        self._others: set[int] = set()
        self._asked = True
        # When it was last seen what waits in the database.
        self._looked_s = 0.0
        self._loop = Loop("outbox", self._flush, interval_s=RELAY_INTERVAL_S)
        # Called with room and place of messages whose cursors were recorded.
        self.on_recorded: list[Callable[[list[tuple[int, int]]], None]] = []

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    def wake(self) -> None:
        """There are rows to publish."""
        self._asked = True
        self._loop.wake()

    def publish(self, entries: list[Entry], unpublished: frozenset[int]) -> None:
        """These rows were committed just now; `unpublished` are the numbers of all that waited then."""
        self._own.update(entry.number for entry in entries)
        self._others |= unpublished - self._own
        self._fresh += entries
        # The commit has looked for all that wait: the relay need not.
        self._looked_s = time.monotonic()
        self._loop.wake()

    def cursor_of(self, number: int, seconds: float = CURSOR_WAIT_S) -> Cursor | None:
        """The cursor of a row committed just now; None if it takes longer, at once while Redis is away."""
        cursor = self._published.get(number)
        if cursor is not None or self._link.away or seconds <= 0:
            return cursor
        result = self._awaited.setdefault(number, AsyncResult())
        try:
            result.wait(seconds)
        finally:
            self._awaited.pop(number, None)
        return result.get() if result.ready() else None

    def _flush(self) -> None:
        """Publish what was committed here; on a timer, and where there is more, all that stands in the database.

        Raises RedisAway, Unavailable.
        """
        try:
            # Looked at anew each time: what others committed meanwhile, a removal perhaps, must not be overtaken.
            while (database := self._needs_database()) or self._fresh:
                if database:
                    self._flush_database()
                    continue
                entries = [self._fresh.popleft() for _ in range(min(PUBLISH_MAX, len(self._fresh)))]
                self._publish([entry for entry in entries if entry.number not in self._published])
        except Exception:
            # The database has them: from there they are published again, to the same cursors.
            self._asked = True
            # Nobody needs to wait for what cannot come.
            for number in list(self._awaited):
                self._announce(number, None)
            raise

    def _needs_database(self) -> bool:
        """Whether there may be rows besides those that were committed here."""
        self._others = {one for one in self._others if one not in self._own and one not in self._published}
        return self._asked or bool(self._others) or time.monotonic() >= self._looked_s + RELAY_INTERVAL_S

    def _flush_database(self) -> None:
        """Publish every committed row without a cursor."""
        self._looked_s = time.monotonic()
        if self._link.commands.away:
            raise RedisAway("away")
        self._asked = False
        # Whoever they were, they are read now, or published already.
        self._others.clear()
        self._fresh.clear()
        self._own.clear()
        full = bool(self._positions.unrecorded())
        while full:
            entries = self._database.read(_unpublished)
            full = len(entries) == PUBLISH_MAX
            self._own.update(entry.number for entry in entries)
            self._publish(entries)

    def _publish(self, entries: list[Entry]) -> None:
        if not entries:
            return
        entries = [self._at_first_place(entry) for entry in entries]
        try:
            cursors = self._event_log.publish(entries, self._hub.floor, accepted(entries))
            self._hub.floor = max(self._hub.floor, *cursors)
            for entry, cursor in zip(entries, cursors, strict=True):
                self._hub.seen.setdefault(entry.number, cursor)
            # Recorded first, announced then: who is told a cursor finds it in the database, in every worker.
            # While the news goes out to many, a native thread at work would hold up every single write.
            self._hub.wait_for(cursors[-1], FIRST_OUT_S)
            # Should it be lost with the power, the same rows are published again, to the same cursors.
            created = self._database.write_rows(lambda rows: _record(rows, entries, cursors), durable=False)
            for entry, cursor in zip(entries, cursors, strict=True):
                self._published[entry.number] = _message_place(entry, cursor)
                self._announce(entry.number, self._published[entry.number])
        finally:
            self._own.difference_update(entry.number for entry in entries)
        if created:
            for tell in self.on_recorded:
                tell(created)

    def _at_first_place(self, entry: Entry) -> Entry:
        """A message that was in the log before keeps its place, should the log have been lost since.

        Its readers have it there. Only the event comes again, with a later cursor.
        """
        first = self._hub.seen.get(entry.number)
        if first is not None and entry.type == "message.created" and entry.body["message"]["cursor"] is None:
            entry.body["message"]["cursor"] = str(first)
        return entry

    def _announce(self, number: int, cursor: Cursor | None) -> None:
        awaited = self._awaited.pop(number, None)
        if awaited is not None:
            awaited.set(cursor)


def _record(rows: Rows, entries: list[Entry], cursors: list[Cursor]) -> list[tuple[int, int]]:
    """Write the cursors down. Returns room and place of the messages that were created by these entries.

    A row that was published twice, because the log was lost in between, keeps the later place in the
    log, so that no reader behind the first one misses it; its message keeps the first.
    """
    places = list(zip(entries, cursors, strict=True))
    rows.run(
        RECORD_EVENT, [{"row": entry.number, "place": int(cursor)} for entry, cursor in sorted(places, key=_number)]
    )
    created = sorted(
        (entry.body["message"]["id"], entry.room_id, int(_message_place(entry, cursor)))
        for entry, cursor in places
        if entry.type == "message.created"
    )
    if created:
        rows.run(RECORD_MESSAGE, [{"row": id_, "place": place} for id_, _, place in created])
    return [(room_id, place) for _, room_id, place in created]


def _number(place: tuple[Entry, Cursor]) -> int:
    return place[0].number


def _message_place(entry: Entry, cursor: Cursor) -> Cursor:
    """The place of the message that an entry created; of other entries their own."""
    place = entry.body["message"]["cursor"] if entry.type == "message.created" else None
    return cursor if place is None else Cursor.parse(place)


def _unpublished(tx: Transaction) -> list[Entry]:
    # Who joins or leaves does so before what is said after it, also when both wait here.
    membership_first = case((EventRow.type.in_(("member.joined", "member.left")), 0), else_=1)
    query = (
        select(EventRow).where(EventRow.log_id.is_(None)).order_by(membership_first, EventRow.number).limit(PUBLISH_MAX)
    )
    return render.entries(tx, list(tx.scalars(query)))
