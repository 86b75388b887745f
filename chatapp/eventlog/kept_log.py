"""`KeptLog`: the event log as the database keeps it: its newest position, rows without one, and their record."""

import json
import time
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from typing import NamedTuple
from typing import cast

from gevent import sleep
from sqlalchemy import BigInteger
from sqlalchemy import ColumnElement
from sqlalchemy import FromClause
from sqlalchemy import String
from sqlalchemy import Table
from sqlalchemy import bindparam
from sqlalchemy import case
from sqlalchemy import exists
from sqlalchemy import func
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import union
from sqlalchemy import update
from sqlalchemy.orm import Session as Transaction

from chatapp.errors import RedisAway
from chatapp.eventlog import bodies
from chatapp.eventlog.live_log import LiveLog
from chatapp.eventlog.read_places import move_read
from chatapp.eventlog.uid import uid
from chatapp.storage import Database
from chatapp.storage import EventRow
from chatapp.storage import Message
from chatapp.storage import Prepared
from chatapp.storage import Receipt
from chatapp.storage import Rows
from chatapp.storage import for_all
from chatapp.storage import rows_within
from chatapp.wire import Cursor
from chatapp.wire import Entry
from chatapp.wire import event_types

# Each worker publishes its own rows in one order, a few hundred at once. None overtakes more than half as many as this
# (`outbox.OVERTAKEN_MAX`): what is in the log and not recorded yet is among the first that wait, or the first moves.
UNRECORDED_MAX = 2000

RECORD_POLL_S = 0.02

# By which a membership ends.
ENDS = (event_types.MEMBER_LEFT, event_types.ROOM_DELETED)
MOVES = (event_types.MEMBER_JOINED, *ENDS)

_EVENTS, _MESSAGES, _RECEIPTS = (cast(Table, model.__table__) for model in (EventRow, Message, Receipt))
# A row that was published twice, because the log was lost in between, keeps the later place, so that no reader
# behind the first one misses it.
RECORD_EVENT = for_all(
    lambda one: (
        update(_EVENTS)
        .where(_EVENTS.c.number == one["row"], uid(_EVENTS) == one["uid"])
        .where(_EVENTS.c.log_id.is_(None) | (_EVENTS.c.log_id < one["place"]))
        .values(log_id=one["place"])
    ),
    row=BigInteger,
    uid=String,
    place=BigInteger,
)
# What it is about keeps the first.
RECORD_MESSAGE = for_all(
    lambda one: (
        update(_MESSAGES).where(_MESSAGES.c.id == one["row"], _MESSAGES.c.log_id.is_(None)).values(log_id=one["place"])
    ),
    row=String,
    place=BigInteger,
)
RECORD_JOINING = Prepared(
    update(_RECEIPTS)
    .where(
        _RECEIPTS.c.room_id == bindparam("room"),
        _RECEIPTS.c.user_id == bindparam("user"),
        _RECEIPTS.c.joined == bindparam("row"),
        _RECEIPTS.c.first.is_(None),
        exists().where(_EVENTS.c.number == bindparam("row"), uid(_EVENTS) == bindparam("uid")),
    )
    .values(first=bindparam("place"))
)


def is_move(events: FromClause) -> ColumnElement[bool]:
    """Whether a row of `events` is somebody's joining or leaving, or the end of a membership with its room."""
    return or_(*(events.c.type == type_ for type_ in MOVES))


def is_move_type(type_: str) -> bool:
    """The same of the type of an event."""
    return type_ in MOVES


def _in_publishing_order(most: Any) -> FromClause:
    """The first `most` rows without a place, in the order in which they are published: a joining or leaving comes
    before what was said after it, also when both wait here. However many wait, two indexes give as many each."""
    both = both_ways(most)
    return select(both).order_by(*_in_order(both)).limit(most).subquery("waiting")


def both_ways(most: Any) -> FromClause:
    """The first `most` rows without a place and the first `most` joinings and leavings among them: all that are in the
    log already, however many moves one transaction made."""
    without_place = select(_EVENTS).where(_EVENTS.c.log_id.is_(None)).order_by(_EVENTS.c.number).limit(most)
    # Only moves are about a user.
    moves = without_place.where(_EVENTS.c.user_id.is_not(None))
    return union(select(without_place.subquery()), select(moves.subquery())).subquery("both_ways")


def _in_order(events: FromClause) -> tuple[ColumnElement[Any], ...]:
    return case((events.c.user_id.is_not(None), 0), else_=1), events.c.number


_WAITING = _in_publishing_order(bindparam("most"))
UNPUBLISHED = Prepared(bodies.told(_WAITING).order_by(*_in_order(_WAITING)))
_BOTH_WAYS = both_ways(UNRECORDED_MAX)
UNRECORDED = Prepared(select(uid(_BOTH_WAYS), _BOTH_WAYS.c.number))
# Those of these rows (a JSON array of their numbers) that have none yet.
WITHOUT_PLACE = Prepared.among(
    _EVENTS.c.number,
    "numbers",
    lambda among_these: select(
        uid(_EVENTS), _EVENTS.c.number, _EVENTS.c.type, _EVENTS.c.room_id, _EVENTS.c.user_id, _EVENTS.c.message_id
    ).where(among_these, _EVENTS.c.log_id.is_(None)),
)
_FIRST = (
    select(_EVENTS).where(_EVENTS.c.log_id.is_(None)).order_by(_EVENTS.c.number).limit(UNRECORDED_MAX).subquery("first")
)
FIRST_WAITING = Prepared(
    select(uid(_FIRST), _FIRST.c.number, _FIRST.c.room_id, _FIRST.c.type, _FIRST.c.message_id, _MESSAGES.c.sender_id)
    .select_from(_FIRST.outerjoin(_MESSAGES, _MESSAGES.c.id == _FIRST.c.message_id))
    .order_by(_FIRST.c.number)
)


class Waiting(NamedTuple):
    """A row that is committed and has no place yet, in the order of the columns of `FIRST_WAITING`."""

    uid: str
    number: int
    room_id: int
    type: str
    message_id: str | None
    sender_id: str | None


def first_waiting(rows: Rows) -> list[Waiting]:
    """The first UNRECORDED_MAX rows without a place, by their numbers."""
    return [Waiting._make(row) for row in rows.ask(FIRST_WAITING)]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry stands in the log. `first` is where the message or membership that it begins stands for good:
    usually the same place, but an entry that comes again after the log was lost has a later `cursor`."""

    entry: Entry
    cursor: Cursor
    first: Cursor


class KeptLog:
    """What the database knows of the log. Every method raises Unavailable."""

    def __init__(self, database: Database, live_log: LiveLog) -> None:
        self._database = database
        self._live_log = live_log

    def unrecorded(self) -> dict[str, int]:
        """The first committed rows without a cursor, including all that are in the log already: their numbers, by what
        they are."""
        return self._database.read(lambda tx: dict(rows_within(tx).ask(UNRECORDED)))

    def unpublished(self, most: int) -> list[Entry]:
        """The rows without a cursor, on their way into the log."""

        def work(tx: Transaction) -> list[Entry]:
            rows = rows_within(tx)
            return bodies.entries(rows, bodies.ask(rows, UNPUBLISHED, most=most))

        return self._database.read(work)

    def newest(self) -> Cursor:
        """The newest cursor in the database."""
        query = select(func.max(EventRow.log_id)).where(EventRow.log_id.is_not(None))
        return Cursor(self._database.read(lambda tx: tx.scalar(query)) or 0)

    def newest_before(self, cursor: Cursor) -> Cursor:
        """The newest cursor in the database before this one."""
        query = select(func.max(EventRow.log_id)).where(EventRow.log_id < cursor.packed)
        return Cursor(self._database.read(lambda tx: tx.scalar(query)) or 0)

    def newest_anywhere(self) -> Cursor:
        """The newest cursor in database and live log; the database's alone while Redis is away."""
        newest = self.newest()
        try:
            return max(newest, self._live_log.last())
        except RedisAway:
            return newest

    def newest_for(self, cursor: Cursor, end: Cursor) -> Cursor:
        """The newest cursor, as far as it matters whether this one lies behind it; `end` is as far as was read."""
        return end if cursor <= end else max(end, self.newest_anywhere())

    def any_within(self, after: Cursor, until: Cursor) -> bool:
        """Whether a row stands after the one place and before the other."""
        query = select(EventRow.number).where(EventRow.log_id > after, EventRow.log_id < until).limit(1)
        return self._database.read(lambda tx: tx.scalar(query)) is not None

    def await_records(self, seconds: float, besides: Collection[str] = ()) -> None:
        """Wait until what is in the log now and not recorded yet is recorded, at most this long.

        Besides these, which are in no log.
        """
        pending = self.unrecorded().keys() - besides
        deadline_s = time.monotonic() + seconds
        while pending and time.monotonic() < deadline_s:
            sleep(RECORD_POLL_S)
            pending &= self.unrecorded().keys()

    def keep_first(self, first_place: Callable[[str], Cursor | None]) -> None:
        """Messages and memberships that were seen in a log that is lost keep their places, though their publisher may
        never have heard of them. Their events have none yet: they are published again."""
        seen = [number for uid, number in self.unrecorded().items() if first_place(uid) is not None]
        if seen:
            self._database.write_rows(lambda rows: _keep_first(rows, seen, first_place), durable=False)

    def record(self, places: Sequence[Place]) -> None:
        """Write the cursors down.

        It does not wait for the disk: if a power failure takes the record, the same rows are published again, to the
        same cursors.
        """
        self._database.write_rows(lambda rows: _record(rows, places), durable=False)


def _record(rows: Rows, places: Sequence[Place]) -> None:
    # Each table in one order, so that two workers never wait for one another.
    ordered = sorted(places, key=lambda place: place.entry.number)
    rows.run_all(
        RECORD_EVENT,
        [{"row": place.entry.number, "uid": place.entry.uid, "place": int(place.cursor)} for place in ordered],
    )
    created = [place for place in places if place.entry.type == event_types.MESSAGE_CREATED]
    _record_firsts(
        rows,
        [(place.entry.body["message"]["id"], int(place.first)) for place in created],
        [
            (place.entry.room_id, place.entry.about or "", place.entry.number, place.entry.uid, int(place.first))
            for place in places
            if place.entry.type == event_types.MEMBER_JOINED
        ],
    )
    move_read(rows, [_own(place) for place in created])


def _keep_first(rows: Rows, numbers: list[int], first_place: Callable[[str], Cursor | None]) -> None:
    found = rows.ask(WITHOUT_PLACE, {"numbers": json.dumps(numbers)})
    firsts = [(row, int(first_place(row[0]) or 0)) for row in found]
    _record_firsts(
        rows,
        [(id_, place) for (_, _, type_, _, _, id_), place in firsts if type_ == event_types.MESSAGE_CREATED],
        [
            (room_id, user_id, number, uid, place)
            for (uid, number, type_, room_id, user_id, _), place in firsts
            if type_ == event_types.MEMBER_JOINED
        ],
    )


def _record_firsts(rows: Rows, created: list[tuple[str, int]], joined: list[tuple[int, str, int, str, int]]) -> None:
    """Messages and their places; of joinings rooms, users, numbers, what they are, and places."""
    created.sort()
    joined.sort()
    if created:
        rows.run_all(RECORD_MESSAGE, [{"row": id_, "place": place} for id_, place in created])
    if joined:
        names = ("room", "user", "row", "uid", "place")
        rows.run(RECORD_JOINING, [dict(zip(names, one, strict=True)) for one in joined])


def _own(place: Place) -> tuple[int, str, int]:
    """Whoever says something has read all before it."""
    return place.entry.room_id, place.entry.body["message"]["sender"]["id"], int(place.first)
