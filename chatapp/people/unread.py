"""How far a user has read rooms, and how much is left."""

import json
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from typing import cast

from sqlalchemy import Select
from sqlalchemy import Table
from sqlalchemy import and_
from sqlalchemy import bindparam
from sqlalchemy import func
from sqlalchemy import select

from chatapp.storage import DIALECTS
from chatapp.storage import Membership
from chatapp.storage import Message
from chatapp.storage import Prepared
from chatapp.storage import Receipt
from chatapp.storage import Rows
from chatapp.storage import listed_in
from chatapp.storage import listed_pairs

_MEMBERSHIPS, _RECEIPTS, _MESSAGES = (cast(Table, model.__table__) for model in (Membership, Receipt, Message))

# Counted so far and no further: this many or more.
UNREAD_MAX = 100
# Withdrawn messages and one's own lie in between: so many are looked at.
LOOKED_AT_MAX = 1_000

# The receipt of a membership.
OF_MEMBERSHIP = and_(
    _RECEIPTS.c.room_id == _MEMBERSHIPS.c.room_id,
    _RECEIPTS.c.user_id == _MEMBERSHIPS.c.user_id,
    _RECEIPTS.c.joined == _MEMBERSHIPS.c.joined,
)
PLACES = Prepared(
    **{
        dialect: select(_MEMBERSHIPS.c.room_id, _RECEIPTS.c.read, _RECEIPTS.c.first)
        .select_from(_MEMBERSHIPS.join(_RECEIPTS, OF_MEMBERSHIP))
        .where(_MEMBERSHIPS.c.user_id == bindparam("user"), among_these)
        for dialect, among_these in listed_in(_MEMBERSHIPS.c.room_id, "rooms").items()
    }
)


def _unread(dialect: str) -> Select[Any]:
    room = listed_pairs("rooms", "id", "after")[dialect].subquery("room")
    message = _MESSAGES.alias("message")
    looked_at = (
        select(message.c.sender_id, message.c.deleted_at)
        .where(message.c.room_id == room.c.id, message.c.log_id > room.c.after)
        .order_by(message.c.log_id)
        .limit(LOOKED_AT_MAX)
        .correlate(room)
        .subquery("looked_at")
    )
    others = (
        select(looked_at.c.sender_id)
        .where(looked_at.c.sender_id != bindparam("user"), looked_at.c.deleted_at.is_(None))
        .limit(UNREAD_MAX)
        .subquery("others")
    )
    return select(room.c.id, select(func.count()).select_from(others).scalar_subquery())


# What others said in rooms (a JSON array of pairs: the room, and after which place).
UNREAD = Prepared(**{dialect: _unread(dialect) for dialect in DIALECTS})


READ_BY = Prepared(
    select(func.count(_RECEIPTS.c.user_id.distinct())).where(
        _RECEIPTS.c.room_id == bindparam("room"),
        _RECEIPTS.c.read >= bindparam("place"),
        _RECEIPTS.c.user_id != bindparam("sender"),
    )
)


@dataclass(frozen=True, slots=True)
class Read:
    """How far a member has read a room, None before the first time; and how many messages of others are unread."""

    place: int | None
    unread: int


def read_by(rows: Rows, room_id: int, sender_id: str, place: int | None) -> int:
    """How many others than its sender have read a message of this room, which stands at this place."""
    if place is None:
        return 0
    [(count,)] = rows.ask(READ_BY, {"room": room_id, "sender": sender_id, "place": place})
    return int(count)


def reads(rows: Rows, user_id: str, room_ids: Iterable[int]) -> Mapping[int, Read]:
    """Of the rooms that the user belongs to. Two statements, however many rooms."""
    found = rows.ask(PLACES, {"user": user_id, "rooms": json.dumps(list(room_ids))})
    # A joining that is not recorded yet lies behind all that was said so far.
    begins = {room_id: max(read or 0, first or 0) for room_id, read, first in found if read or first}
    counts: dict[int, int] = {}
    if begins:
        counts = dict(rows.ask(UNREAD, {"user": user_id, "rooms": json.dumps(list(begins.items()))}))
    return {room_id: Read(read, counts.get(room_id, 0)) for room_id, read, _ in found}
