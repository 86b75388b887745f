"""How far members have read their rooms, as the database keeps it: a place in the log, which only moves forward."""

from collections.abc import Iterable
from typing import cast

from sqlalchemy import Table
from sqlalchemy import bindparam
from sqlalchemy import select
from sqlalchemy import update

from chatapp.storage import Membership
from chatapp.storage import Prepared
from chatapp.storage import Receipt
from chatapp.storage import Rows

_RECEIPTS, _MEMBERSHIPS = (cast(Table, model.__table__) for model in (Receipt, Membership))

_JOINED = (
    select(_MEMBERSHIPS.c.joined)
    .where(_MEMBERSHIPS.c.room_id == bindparam("room"), _MEMBERSHIPS.c.user_id == bindparam("user"))
    .scalar_subquery()
)
# What was said before the joining counts as read already.
MOVE = Prepared(
    update(_RECEIPTS)
    .where(
        _RECEIPTS.c.room_id == bindparam("room"),
        _RECEIPTS.c.user_id == bindparam("user"),
        _RECEIPTS.c.joined == _JOINED,
        _RECEIPTS.c.read.is_(None) | (_RECEIPTS.c.read < bindparam("place")),
        _RECEIPTS.c.first.is_(None) | (_RECEIPTS.c.first < bindparam("place")),
    )
    .values(read=bindparam("place"))
)


def move_read(rows: Rows, places: Iterable[tuple[int, str, int]]) -> None:
    """Move the read places of these members: room, user, place. In one order, so that no two workers wait for one
    another."""
    furthest: dict[tuple[int, str], int] = {}
    for room_id, user_id, place in places:
        furthest[room_id, user_id] = max(place, furthest.get((room_id, user_id), 0))
    if furthest:
        rows.run(
            MOVE,
            [{"room": room, "user": user, "place": place} for (room, user), place in sorted(furthest.items())],
        )
