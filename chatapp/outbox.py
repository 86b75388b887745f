"""`Outbox`: publishes what is committed and not yet in the log, in order.

The rows without a `log_id` are the outbox. Whoever commits publishes all of them, whoever wrote them, and
the script answers a repeat with the first id: so there is no leader and no lock, and the relay that runs on
a timer is the same call.
"""

import time
from collections.abc import Callable
from collections.abc import Sequence

from gevent.event import Event as Flag
from sqlalchemy import case
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session as Transaction

from chatapp import render
from chatapp.background import Loop
from chatapp.database import Database
from chatapp.event import Cursor
from chatapp.event import Entry
from chatapp.event_log import EventLog
from chatapp.hub import Hub
from chatapp.models import EventRow
from chatapp.models import Message
from chatapp.recent import Recent
from chatapp.redis_link import RedisAway
from chatapp.redis_link import RedisLink

# One call of the script holds Redis for a few milliseconds at this size.
PUBLISH_MAX = 200
RELAY_INTERVAL_S = 2.0
# An answer to a send waits this long for its cursor: the contract's bound.
CURSOR_WAIT_S = 0.2
REMEMBERED = 10_000


class Outbox:
    """Publish after every commit (`wake`), and on a timer what others left behind."""

    def __init__(self, database: Database, event_log: EventLog, link: RedisLink, hub: Hub) -> None:
        self._database = database
        self._event_log = event_log
        self._link = link
        self._hub = hub
        self._published: Recent[int, Cursor] = Recent(REMEMBERED)
        self._flushed = Flag()
        self._loop = Loop("outbox", self.flush, interval_s=RELAY_INTERVAL_S)
        # Runs in a transaction after the one that recorded cursors, with the ids of the messages created there.
        # True if that led to new events.
        self.on_recorded: Callable[[Transaction, Sequence[str]], bool] | None = None

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    def wake(self) -> None:
        self._loop.wake()

    def cursor_of(self, number: int, seconds: float = CURSOR_WAIT_S) -> Cursor | None:
        """The cursor of a row committed just now; None if it takes longer, at once while Redis is away."""
        deadline_s = time.monotonic() + seconds
        while number not in self._published and not self._link.away:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                break
            self._flushed.wait(left_s)
        return self._published.get(number)

    def flush(self) -> None:
        """Publish every committed row without a cursor. Raises RedisAway, Unavailable."""
        while self._flush_some() == PUBLISH_MAX:
            continue

    def _flush_some(self) -> int:
        if self._link.commands.away:
            self._announce()
            raise RedisAway("away")
        entries = [self._at_first_place(entry) for entry in self._database.read(_unpublished)]
        if not entries:
            return 0
        try:
            cursors = self._event_log.publish(entries, self._hub.floor)
        except RedisAway:
            # Nobody needs to wait for what cannot come.
            self._announce()
            raise
        self._hub.floor = max(self._hub.floor, *cursors)
        for entry, cursor in zip(entries, cursors, strict=True):
            self._hub.seen.setdefault(entry.number, cursor)
        # Recorded first, announced then: who is told a cursor finds it in the database, in every worker.
        created = self._database.write(lambda tx: _record(tx, entries, cursors))
        for entry, cursor in zip(entries, cursors, strict=True):
            self._published[entry.number] = _message_place(entry, cursor)
        self._announce()
        # In a transaction of its own: of a record and an ack at the same moment, at least one sees the other.
        deliver = self.on_recorded
        if created and deliver is not None and self._database.write(lambda tx: deliver(tx, created)):
            self._loop.wake()
        return len(entries)

    def _at_first_place(self, entry: Entry) -> Entry:
        """A message that was in the log before keeps its place, should the log have been lost since.

        Its readers have it there. Only the event comes again, with a later cursor.
        """
        first = self._hub.seen.get(entry.number)
        if first is not None and entry.type == "message.created" and entry.body["message"]["cursor"] is None:
            entry.body["message"]["cursor"] = str(first)
        return entry

    def _announce(self) -> None:
        self._flushed.set()
        self._flushed.clear()


def _record(tx: Transaction, entries: list[Entry], cursors: list[Cursor]) -> list[str]:
    """Write the cursors down. Returns the ids of the messages that were created by these entries.

    A row that was published twice, because the log was lost in between, keeps the later place in the
    log, so that no reader behind the first one misses it; its message keeps the first.
    """
    places = {entry.number: int(cursor) for entry, cursor in zip(entries, cursors, strict=True)}
    place = case(places, value=EventRow.number)
    tx.execute(
        update(EventRow)
        .where(EventRow.number.in_(places), (EventRow.log_id.is_(None)) | (EventRow.log_id < place))
        .values(log_id=place)
        .execution_options(synchronize_session=False)
    )
    created = {
        entry.body["message"]["id"]: int(_message_place(entry, cursor))
        for entry, cursor in zip(entries, cursors, strict=True)
        if entry.type == "message.created"
    }
    if created:
        tx.execute(
            update(Message)
            .where(Message.id.in_(created), Message.log_id.is_(None))
            .values(log_id=case(created, value=Message.id))
            .execution_options(synchronize_session=False)
        )
    return list(created)


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
