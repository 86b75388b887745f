"""How far a user has read rooms, and how much is left."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Table
from sqlalchemy import and_
from sqlalchemy import bindparam
from sqlalchemy import case
from sqlalchemy import func
from sqlalchemy import literal_column
from sqlalchemy import select

from chatapp.storage import Membership
from chatapp.storage import Message
from chatapp.storage import Prepared
from chatapp.storage import Receipt
from chatapp.storage import Rows
from chatapp.wire import shapes

_MEMBERSHIPS, _RECEIPTS, _MESSAGES = (cast(Table, model.__table__) for model in (Membership, Receipt, Message))

# Withdrawn messages and one's own lie in between: so many are looked at.
LOOKED_AT_MAX = 1_000

# The receipt of a membership.
OF_MEMBERSHIP = and_(
    _RECEIPTS.c.room_id == _MEMBERSHIPS.c.room_id,
    _RECEIPTS.c.user_id == _MEMBERSHIPS.c.user_id,
    _RECEIPTS.c.joined == _MEMBERSHIPS.c.joined,
)
# Asked for each receipt, by the key. Where PostgreSQL takes a user for one who has few rooms it joins all with all.
_JOINED = (
    select(_MEMBERSHIPS.c.joined)
    .where(_MEMBERSHIPS.c.room_id == _RECEIPTS.c.room_id, _MEMBERSHIPS.c.user_id == _RECEIPTS.c.user_id)
    .correlate(_RECEIPTS)
    .scalar_subquery()
)
# What was said before the joining counts as read. One that is not recorded yet lies behind all that was said so far.
_AFTER = case(
    (_RECEIPTS.c.read.is_(None) | (_RECEIPTS.c.read < _RECEIPTS.c.first), _RECEIPTS.c.first), else_=_RECEIPTS.c.read
)
_LOOKED_AT = (
    # What counts is said where it is read: SQLite takes twice as long to pass the sender on.
    select(and_(_MESSAGES.c.sender_id != bindparam("user"), _MESSAGES.c.deleted_at.is_(None)).label("counts"))
    .where(_MESSAGES.c.room_id == _RECEIPTS.c.room_id, _MESSAGES.c.log_id > _AFTER)
    .order_by(_MESSAGES.c.log_id)
    .limit(LOOKED_AT_MAX)
    .correlate(_RECEIPTS)
    .subquery("looked_at")
)
_COUNTED = (
    select(literal_column("1")).select_from(_LOOKED_AT).where(_LOOKED_AT.c.counts).limit(shapes.UNREAD_MAX).subquery()
)
# Of those of these rooms (a JSON array of their ids) that the user belongs to.
READS = Prepared.among(
    _RECEIPTS.c.room_id,
    "rooms",
    lambda among_these: select(
        _RECEIPTS.c.room_id, _RECEIPTS.c.read, select(func.count()).select_from(_COUNTED).scalar_subquery()
    ).where(_RECEIPTS.c.user_id == bindparam("user"), among_these, _RECEIPTS.c.joined == _JOINED),
)
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


def reads(rows: Rows, user_id: str, room_ids: Iterable[int]) -> dict[int, Read]:
    """Of the rooms that the user belongs to. One statement, however many rooms."""
    found = rows.ask(READS, {"user": user_id, "rooms": json.dumps(list(room_ids))})
    return {room_id: Read(read, unread) for room_id, read, unread in found}
