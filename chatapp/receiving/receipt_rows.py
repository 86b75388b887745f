"""What receipts do to the tables: they move forward, and what they reach becomes `delivered`.

A receipt belongs to one membership, from the place of its joining on, and only ever grows. So nothing here depends on
the order in which acks, joinings and messages are written, nor on which worker writes them.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from typing import cast

from sqlalchemy import Table
from sqlalchemy import bindparam
from sqlalchemy import exists
from sqlalchemy import insert
from sqlalchemy import literal_column
from sqlalchemy import select
from sqlalchemy import update

from chatapp.storage import EventRow
from chatapp.storage import Message
from chatapp.storage import MessageStatus
from chatapp.storage import Prepared
from chatapp.storage import Receipt
from chatapp.storage import Rows

# Room and user.
Key = tuple[int, str]
# After and up to which place in the log.
Reach = tuple[int, int]

_RECEIPTS, _MESSAGES, _EVENTS = (cast(Table, model.__table__) for model in (Receipt, Message, EventRow))

# The membership that an ack belongs to: the last one that began before it. One whose joining is not recorded yet may
# be that, so the ack has to wait for the record.
_OTHERS = _RECEIPTS.alias("others")
_JOINED = (
    select(_OTHERS.c.joined)
    .where(
        _OTHERS.c.room_id == bindparam("room"),
        _OTHERS.c.user_id == bindparam("user"),
        _OTHERS.c.first.is_(None) | (_OTHERS.c.first < bindparam("place")),
    )
    .order_by(_OTHERS.c.joined.desc())
    .limit(1)
    .scalar_subquery()
)
_OF_ACK = (
    _RECEIPTS.c.room_id == bindparam("room"),
    _RECEIPTS.c.user_id == bindparam("user"),
    _RECEIPTS.c.joined == _JOINED,
)
ACK = Prepared(
    update(_RECEIPTS)
    .where(*_OF_ACK, _RECEIPTS.c.first.is_not(None), _RECEIPTS.c.delivered < bindparam("place"))
    .values(delivered=bindparam("place"))
)
REACH = Prepared(select(_RECEIPTS.c.first, _RECEIPTS.c.delivered).where(*_OF_ACK))
# What another member has received, once: `sent` as a literal, for its index holds just those.
DELIVER = Prepared(
    update(_MESSAGES)
    .where(
        _MESSAGES.c.room_id == bindparam("room"),
        _MESSAGES.c.log_id > bindparam("after"),
        _MESSAGES.c.log_id <= bindparam("until"),
        _MESSAGES.c.status == literal_column(f"'{MessageStatus.SENT.value}'"),
        exists().where(
            _RECEIPTS.c.room_id == _MESSAGES.c.room_id,
            _RECEIPTS.c.user_id != _MESSAGES.c.sender_id,
            _RECEIPTS.c.first < _MESSAGES.c.log_id,
            _RECEIPTS.c.delivered >= _MESSAGES.c.log_id,
        ),
    )
    .values(status=MessageStatus.DELIVERED.value)
    .returning(_MESSAGES.c.log_id, _MESSAGES.c.room_id, _MESSAGES.c.id, _MESSAGES.c.sender_id)
)
TELL = Prepared(
    insert(_EVENTS).values(
        type="message.status",
        room_id=bindparam("room"),
        message_id=bindparam("message"),
        target_id=bindparam("sender"),
    )
)


def move(rows: Rows, acks: Mapping[Key, int]) -> set[Key]:
    """Move the receipts forward, never back. Returns those whose joining is not recorded yet: they have to wait."""
    given = [_ack(key, place) for key, place in sorted(acks.items())]
    if rows.run(ACK, given) == len(given):
        return set()
    return {key for key, (first, _) in _asked(rows, acks).items() if first is None}


def reach(rows: Rows, acks: Mapping[Key, int]) -> dict[Key, Reach]:
    """What the receipts of these acks cover, as far as their joinings are recorded."""
    return {key: (first, until) for key, (first, until) in _asked(rows, acks).items() if first is not None}


def deliver(rows: Rows, rooms: Mapping[int, Reach]) -> bool:
    """Make delivered what was received within these parts of the rooms, and tell the senders in the same
    transaction. True if there was anything."""
    parts = [{"room": room_id, "after": after, "until": until} for room_id, (after, until) in sorted(rooms.items())]
    delivered = sorted(row for found in rows.ask_each(DELIVER, parts) for row in found)
    if delivered:
        told = [{"room": room_id, "message": id_, "sender": sender} for _, room_id, id_, sender in delivered]
        rows.run(TELL, told)
    return bool(delivered)


def _asked(rows: Rows, acks: Mapping[Key, int]) -> dict[Key, tuple[int | None, int]]:
    """The receipt that each ack belongs to; none for one from before every membership."""
    keys: list[Key] = sorted(acks)
    found = rows.ask_each(REACH, [_ack(key, acks[key]) for key in keys])
    return {key: (receipts[0][0], receipts[0][1]) for key, receipts in zip(keys, found, strict=True) if receipts}


def _ack(key: Key, place: int) -> dict[str, int | str]:
    return {"room": key[0], "user": key[1], "place": place}


def by_room(reached: Iterable[tuple[int, Reach]]) -> dict[int, Reach]:
    """The part of each room that holds all that was reached there."""
    rooms: dict[int, Reach] = {}
    for room_id, (after, until) in reached:
        least, most = rooms.get(room_id, (after, until))
        rooms[room_id] = min(least, after), max(most, until)
    return rooms
