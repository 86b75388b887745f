"""`CatchUp`: what lies before the window, page by page from the database."""

import json
import time
from collections.abc import Callable
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from typing import NamedTuple
from typing import cast

from sqlalchemy import BigInteger
from sqlalchemy import Select
from sqlalchemy import Table
from sqlalchemy import bindparam
from sqlalchemy import select
from sqlalchemy import tuple_

from chatapp.eventlog import KeptEvents
from chatapp.eventlog import KeptLog
from chatapp.eventlog import Tail
from chatapp.people import Identity
from chatapp.people import KnownRooms
from chatapp.people import RoomRef
from chatapp.people import access
from chatapp.receiving.catch_up_query import PAGE
from chatapp.receiving.catch_up_query import UNRECORDED
from chatapp.receiving.catch_up_query import Found
from chatapp.receiving.catch_up_query import horizon
from chatapp.receiving.joins_and_leaves import Moves
from chatapp.receiving.wanted import Wanted
from chatapp.storage import DIALECTS
from chatapp.storage import Database
from chatapp.storage import EventRow
from chatapp.storage import Prepared
from chatapp.storage import Rows
from chatapp.storage import listed
from chatapp.storage import rows_within
from chatapp.wire import PACKED_MAX
from chatapp.wire import Cursor
from chatapp.wire import Event
from chatapp.wire import event_types

# Rows that another worker is publishing right now get their cursor recorded within this time.
RECORD_WAIT_S = 1.0
RECORD_POLL_S = 0.02
# How many rows a page looks at, for each that it may give: about half of a room's are for their senders alone.
LOOKED_AT = 2
LOOKED_AT_MIN = 400
# At least this many of each room, so that a reader of thousands of rooms gets on too.
OF_ROOM_MIN = 10

_EVENTS = cast(Table, EventRow.__table__)


def _first_moves(dialect: str) -> Select[Any]:
    room = listed("rooms", BigInteger)[dialect].subquery("room")
    mine = select(_EVENTS.c.number).where(_EVENTS.c.user_id == bindparam("user"))
    if dialect == "postgresql":
        # By pairs, which no other index has in this order: by the one of all moves, those of other rooms would be read.
        place = tuple_(_EVENTS.c.room_id, _EVENTS.c.log_id)
        mine = mine.where(place > tuple_(room.c.value, bindparam("after")), place < tuple_(room.c.value, PACKED_MAX))
    else:
        mine = mine.where(_EVENTS.c.room_id == room.c.value, _EVENTS.c.log_id > bindparam("after"))
    of_room = mine.order_by(_EVENTS.c.room_id, _EVENTS.c.log_id).limit(1).correlate(room).scalar_subquery()
    first = select(_EVENTS.c.room_id, _EVENTS.c.type, _EVENTS.c.log_id)
    return first.select_from(room.join(_EVENTS, _EVENTS.c.number == of_room))


# Of each room: the user's first joining or leaving after a place, if there is one.
FIRST_MOVES = Prepared(**{dialect: _first_moves(dialect) for dialect in DIALECTS})
# Rows whose events are loaded at once, so that a page of long messages ends before all of them are.
LOADED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose page it is: of which rooms, behind which position, which rooms the reader followed so far, and how many
    events and about how many bytes the page may hold."""

    who: Identity
    wanted: Wanted
    position: Cursor
    followed: Collection[int]
    limit: int
    most_bytes: int


@dataclass(frozen=True, slots=True)
class Page:
    """The events, the rooms that the reader follows from here on, and up to where it has all that there is.

    `unrecorded` are the numbers of rows of these rooms that may lie before `end` and have no cursor yet.
    """

    rooms: tuple[RoomRef, ...]
    events: list[Event]
    end: Cursor
    unrecorded: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Places:
    """What a page consists of: rows by number and place in the log; the rest as in `Page`."""

    given: list[tuple[int, int | None]]
    end: Cursor
    unrecorded: frozenset[int]


class Pending(NamedTuple):
    """Rows that are given although they have no place yet: their numbers, and the rooms that the user may read now.

    Nobody can say whether such a row comes before a removal that this worker has not read of.
    """

    numbers: frozenset[int] = frozenset()
    rooms: frozenset[int] = frozenset()


class CatchUp:
    def __init__(
        self, database: Database, kept_log: KeptLog, kept_events: KeptEvents, tail: Tail, known_rooms: KnownRooms
    ) -> None:
        self._database = database
        self._kept_log = kept_log
        self._kept_events = kept_events
        self._tail = tail
        self._known_rooms = known_rooms

    def page(self, asked: Asked, until: Cursor, given_up: Callable[[], object]) -> Page:
        """What comes next, up to `until`, where the window starts. Raises Unavailable.

        The seam needs no clock. What was appended at or before the window's start was committed before
        this looks for rows without a cursor: so each such row is found there, or has its cursor by the
        time of the scan, or stands in the window.
        """
        # As this worker has read of them, which is further than any page goes.
        rooms = self._rooms(asked, self._tail.end)
        page = self._page(asked, rooms, until, Pending())
        if page.unrecorded and page.end >= until:
            self._await_records(page.unrecorded, given_up)
            now = frozenset(room.id for room in self._rooms(asked, None))
            page = self._page(asked, rooms, until, Pending(page.unrecorded, now))
        return page

    def _rooms(self, asked: Asked, position: Cursor | None) -> tuple[RoomRef, ...]:
        mine = self._known_rooms.memberships(asked.who, position)
        names = asked.wanted.names
        return mine.rooms if names is None else self._known_rooms.among(asked.who, names, mine)

    def _await_records(self, numbers: frozenset[int], given_up: Callable[[], object]) -> None:
        deadline_s = time.monotonic() + RECORD_WAIT_S
        while time.monotonic() < deadline_s and not given_up():
            time.sleep(RECORD_POLL_S)
            if numbers.isdisjoint(self._kept_log.unrecorded().values()):
                return

    def _page(self, asked: Asked, rooms: tuple[RoomRef, ...], until: Cursor, pending: Pending) -> Page:
        ids = frozenset(room.id for room in rooms)
        found = self._database.read(lambda tx: _find(rows_within(tx), asked, ids, until, pending))
        events: list[Event] = []
        size = 0
        for first in range(0, len(found.given), LOADED_AT_ONCE):
            for event in self._kept_events.events(found.given[first : first + LOADED_AT_ONCE]):
                if size >= asked.most_bytes and event.cursor is not None:
                    # What has no place comes last, so the last one given has.
                    assert events[-1].cursor is not None
                    return Page(rooms, events, events[-1].cursor, found.unrecorded)
                events.append(event)
                size += len(event.frame)
        return Page(rooms, events, found.end, found.unrecorded)


def _find(rows: Rows, asked: Asked, ids: frozenset[int], until: Cursor, pending: Pending) -> _Places:
    waiting = [one for one in _ask(rows, UNRECORDED) if _may_see(asked, ids, one)]
    first = {} if asked.wanted.by_name else _first(rows, asked, ids)
    found, end = _next(rows, asked, _starts(asked, ids, first), until)
    if end >= until:
        mine = [one for one in waiting if one.room_id in pending.rooms or one.about == asked.who.id]
        found += [one for one in mine if one.number in pending.numbers]
    if not asked.wanted.by_name:
        own = {one.number: one for one in (*found, *waiting) if one.about == asked.who.id}
        moves = Moves(own.values(), {room_id: type_ for room_id, (type_, _) in first.items()})
        found = [one for one in found if moves.follows(one)]
    if len(found) > asked.limit and (last := found[asked.limit - 1].log_id) is not None:
        found, end = found[: asked.limit], Cursor(last)
    given = [(one.number, one.log_id) for one in found]
    return _Places(given, end, frozenset(one.number for one in waiting))


def _first(rows: Rows, asked: Asked, ids: frozenset[int]) -> dict[int, tuple[str, int]]:
    """By room, type and place of the user's first joining or leaving behind the position."""
    given = {"rooms": json.dumps(sorted(ids)), "user": asked.who.id, "after": asked.position.packed}
    return {room_id: (type_, place) for room_id, type_, place in rows.ask(FIRST_MOVES, given)}


def _starts(asked: Asked, ids: frozenset[int], first: dict[int, tuple[str, int]]) -> list[tuple[int, int]]:
    """Each room, and after which place something of it may be given: whoever joined a large room a moment ago, with an
    old cursor, does not walk through all that was said there before."""
    position = asked.position.packed
    joined = {room_id: place - 1 for room_id, (type_, place) in first.items() if type_ == event_types.MEMBER_JOINED}
    return [(room_id, joined.get(room_id, position)) for room_id in sorted(ids)]


def _next(rows: Rows, asked: Asked, starts: list[tuple[int, int]], until: Cursor) -> tuple[list[Found], Cursor]:
    """The next events that the reader may see, and the position up to which these are all."""
    most = max(LOOKED_AT * asked.limit, LOOKED_AT_MIN)
    of_room = max(OF_ROOM_MIN, most // max(1, len(starts)))
    ids = frozenset(room_id for room_id, _ in starts)
    found = _ask(
        rows,
        PAGE,
        rooms=json.dumps(starts),
        user=asked.who.id,
        after=asked.position.packed,
        until=until.packed,
        of_room=of_room,
        most=most,
    )
    end = horizon(found, of_room=of_room, most=most, until=until.packed)
    return [one for one in found if (one.log_id or 0) <= end and _may_see(asked, ids, one)], Cursor(end)


def _may_see(asked: Asked, ids: frozenset[int], one: Found) -> bool:
    # For rooms asked for by name: the leaving of one that is lost, and no other moves.
    return access.may_see(asked.who, ids, one, moves_in=asked.followed if asked.wanted.by_name else None)


def _ask(rows: Rows, query: Prepared, **parameters: Any) -> list[Found]:
    return [Found._make(row) for row in rows.ask(query, parameters)]
