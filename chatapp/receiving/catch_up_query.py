"""Which events come next for a reader of some rooms, at the cost of what is found.

Sorting all that is left of all rooms for every page would cost a reader who is far behind a second each time. So each
room gives its next few rows by its index, and what lies beyond the earliest point at which a room was cut off, the
`horizon`, is left for the next page.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple
from typing import cast

from sqlalchemy import Select
from sqlalchemy import Table
from sqlalchemy import bindparam
from sqlalchemy import select
from sqlalchemy import true
from sqlalchemy import tuple_
from sqlalchemy import union

from chatapp.eventlog import UNRECORDED_MAX
from chatapp.eventlog import bodies
from chatapp.eventlog import is_move
from chatapp.eventlog import kept_log
from chatapp.storage import DIALECTS
from chatapp.storage import EventRow
from chatapp.storage import Prepared
from chatapp.storage import Room
from chatapp.storage import listed_pairs

_EVENTS, _ROOMS = cast(Table, EventRow.__table__), cast(Table, Room.__table__)


class Found(NamedTuple):
    """What the queries here say of an event, in the order of their columns. `about` is the user who joined or left."""

    number: int
    room_id: int
    room_name: str
    type: str
    about: str | None
    target: str | None
    log_id: int | None


def _columns(events: Any) -> tuple[Any, ...]:
    return events.c.number, events.c.room_id, events.c.type, events.c.user_id, events.c.target_id, events.c.log_id


def _between(events: Any) -> tuple[Any, Any]:
    return events.c.log_id > bindparam("after"), events.c.log_id <= bindparam("until")


def _of_rooms(dialect: str) -> Select[Any]:
    room = listed_pairs("rooms", "id", "after")[dialect].subquery("room")
    one = _EVENTS.alias("one")
    few = select(*_columns(one)).limit(bindparam("of_room"))
    if dialect == "postgresql":
        # By pairs, and in the order of pairs, which no other index has: where events of a room are few among all, that
        # of the whole log would be read for each room.
        place = tuple_(one.c.room_id, one.c.log_id)
        within = place > tuple_(room.c.id, room.c.after), place <= tuple_(room.c.id, bindparam("until"))
        lateral = few.where(*within).order_by(one.c.room_id, one.c.log_id).lateral("of_room")
        return select(*_columns(lateral)).select_from(room.join(lateral, true()))
    # SQLite knows no LATERAL, but looks rows up by a list that depends on another table.
    events = _EVENTS.alias("of_room")
    between = one.c.log_id > room.c.after, one.c.log_id <= bindparam("until")
    first = few.where(one.c.room_id == room.c.id, *between).order_by(one.c.log_id)
    chosen = first.with_only_columns(one.c.number).correlate(room)
    return select(*_columns(events)).select_from(room.join(events, events.c.number.in_(chosen)))


def _page(of_rooms: Select[Any]) -> Select[Any]:
    mine = (
        select(*_columns(_EVENTS))
        .where(_EVENTS.c.user_id == bindparam("user"), is_move(_EVENTS), *_between(_EVENTS))
        .order_by(_EVENTS.c.log_id)
        .limit(bindparam("most"))
        .subquery("mine")
    )
    both = union(of_rooms, select(*_columns(mine))).subquery("both_ways")
    page = select(both).order_by(both.c.log_id).limit(bindparam("most")).subquery("page")
    return _found(page).order_by(page.c.log_id)


def _found(events: Any) -> Select[Any]:
    row = events.c
    columns = row.number, row.room_id, bodies.ROOM_NAME, row.type, row.user_id, row.target_id, row.log_id
    return select(*columns).select_from(events.join(_ROOMS, _ROOMS.c.id == row.room_id))


# The events of rooms (a JSON array of pairs: the room, and after which place) and the user's own moves, up to a place;
# at most `most`, and `of_room` of each room.
PAGE = Prepared(**{dialect: _page(_of_rooms(dialect)) for dialect in DIALECTS})


_WAITING = kept_log.both_ways(UNRECORDED_MAX)
# The first rows that have no place yet: all that are in the log already are among them.
UNRECORDED = Prepared(_found(_WAITING).order_by(_WAITING.c.number))


def horizon(found: Sequence[Found], *, of_room: int, most: int, until: int) -> int:
    """Up to where `found` is all that there is."""
    end = found[-1].log_id or until if len(found) == most else until
    counts: Counter[int] = Counter()
    for one in found:
        counts[one.room_id] += 1
        if counts[one.room_id] == of_room:
            return min(end, one.log_id or until)
    return end
