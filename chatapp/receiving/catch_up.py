"""`CatchUp`: what lies before the window, page by page from the database."""

import json
import time
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from typing import NamedTuple
from typing import cast

from sqlalchemy import Table
from sqlalchemy import bindparam
from sqlalchemy import select

from chatapp.eventlog import KeptEvents
from chatapp.eventlog import KeptLog
from chatapp.eventlog import Tail
from chatapp.eventlog import is_move
from chatapp.people import Identity
from chatapp.people import KnownRooms
from chatapp.people import RoomRef
from chatapp.people import access
from chatapp.receiving.catch_up_query import PAGE
from chatapp.receiving.catch_up_query import UNRECORDED
from chatapp.receiving.catch_up_query import Found
from chatapp.receiving.catch_up_query import horizon
from chatapp.receiving.joins_and_leaves import Move
from chatapp.receiving.joins_and_leaves import Moves
from chatapp.receiving.wanted import Wanted
from chatapp.storage import Database
from chatapp.storage import EventRow
from chatapp.storage import Prepared
from chatapp.storage import Rows
from chatapp.storage import rows_within
from chatapp.wire import Cursor
from chatapp.wire import Event

# Rows that another worker is publishing right now get their cursor recorded within this time.
RECORD_WAIT_S = 1.0
RECORD_POLL_S = 0.02
# How many rows a page looks at, for each that it may give: about half of a room's are for their senders alone.
LOOKED_AT = 2
LOOKED_AT_MIN = 400
# At least this many of each room, so that a reader of thousands of rooms gets on too.
OF_ROOM_MIN = 10

_EVENTS = cast(Table, EventRow.__table__)
MOVES = Prepared(
    select(_EVENTS.c.number, _EVENTS.c.room_id, _EVENTS.c.type, _EVENTS.c.log_id).where(
        _EVENTS.c.user_id == bindparam("user"), is_move(_EVENTS), _EVENTS.c.log_id > bindparam("after")
    )
)


class Moved(NamedTuple):
    """What `MOVES` says, in the order of its columns."""

    number: int
    room_id: int
    type: str
    log_id: int | None


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose page it is: of which rooms, behind which position, and which rooms the reader followed so far."""

    who: Identity
    wanted: Wanted
    position: Cursor
    followed: Collection[int]


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

    def page(self, asked: Asked, until: Cursor, limit: int, given_up: Callable[[], object]) -> Page:
        """What comes next, up to `until`, where the window starts. Raises Unavailable.

        The seam needs no clock. What was appended at or before the window's start was committed before
        this looks for rows without a cursor: so each such row is found there, or has its cursor by the
        time of the scan, or stands in the window.
        """
        # As this worker has read of them, which is further than any page goes.
        rooms = self._rooms(asked, self._tail.end)
        page = self._page(asked, rooms, until, limit, Pending())
        if page.unrecorded and page.end >= until:
            self._await_records(page.unrecorded, given_up)
            now = frozenset(room.id for room in self._rooms(asked, None))
            page = self._page(asked, rooms, until, limit, Pending(page.unrecorded, now))
        return page

    def _rooms(self, asked: Asked, position: Cursor | None) -> tuple[RoomRef, ...]:
        mine = self._known_rooms.memberships(asked.who, position)
        names = asked.wanted.names
        return mine.rooms if names is None else self._known_rooms.among(asked.who, names, mine)

    def _await_records(self, numbers: frozenset[int], given_up: Callable[[], object]) -> None:
        deadline_s = time.monotonic() + RECORD_WAIT_S
        while time.monotonic() < deadline_s and not given_up():
            time.sleep(RECORD_POLL_S)
            if not self._kept_log.unrecorded() & numbers:
                return

    def _page(self, asked: Asked, rooms: tuple[RoomRef, ...], until: Cursor, limit: int, pending: Pending) -> Page:
        ids = frozenset(room.id for room in rooms)
        found = self._database.read(lambda tx: _find(rows_within(tx), asked, ids, until, limit, pending))
        return Page(rooms, self._kept_events.events(found.given), found.end, found.unrecorded)


def _find(rows: Rows, asked: Asked, ids: frozenset[int], until: Cursor, limit: int, pending: Pending) -> _Places:
    waiting = [one for one in _ask(rows, UNRECORDED) if _may_see(asked, ids, one)]
    found, end = _next(rows, asked, ids, until, limit)
    if end >= until:
        mine = [one for one in waiting if one.room_id in pending.rooms or one.about == asked.who.id]
        found += [one for one in mine if one.number in pending.numbers]
    if found and not asked.wanted.by_name:
        moves = Moves([*_moves(rows, asked), *(one for one in waiting if one.about == asked.who.id)])
        found = [one for one in found if moves.follows(one)]
    given = [(one.number, one.log_id) for one in found]
    return _Places(given, end, frozenset(one.number for one in waiting))


def _next(rows: Rows, asked: Asked, ids: frozenset[int], until: Cursor, limit: int) -> tuple[list[Found], Cursor]:
    """The next events that the reader may see, at most `limit`, and the position up to which these are all."""
    most = max(LOOKED_AT * limit, LOOKED_AT_MIN)
    of_room = max(OF_ROOM_MIN, most // max(1, len(ids)))
    found = _ask(
        rows,
        PAGE,
        rooms=json.dumps(sorted(ids)),
        user=asked.who.id,
        after=asked.position.packed,
        until=until.packed,
        of_room=of_room,
        most=most,
    )
    end = horizon(found, of_room=of_room, most=most, until=until.packed)
    seen = [one for one in found if (one.log_id or 0) <= end and _may_see(asked, ids, one)]
    if len(seen) > limit:
        return seen[:limit], Cursor(seen[limit - 1].log_id or 0)
    return seen, Cursor(end)


def _may_see(asked: Asked, ids: frozenset[int], one: Found) -> bool:
    # For rooms asked for by name: the leaving of one that is lost, and no other moves.
    return access.may_see(asked.who, ids, one, moves_in=asked.followed if asked.wanted.by_name else None)


def _moves(rows: Rows, asked: Asked) -> Iterable[Move]:
    return map(Moved._make, rows.ask(MOVES, {"user": asked.who.id, "after": asked.position.packed}))


def _ask(rows: Rows, query: Prepared, **parameters: Any) -> list[Found]:
    return [Found._make(row) for row in rows.ask(query, parameters)]
