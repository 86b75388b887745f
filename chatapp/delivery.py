"""What receipts do to the tables: they move forward, and what they reach becomes `delivered`."""

from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import cast

from sqlalchemy import Table
from sqlalchemy import bindparam
from sqlalchemy import case
from sqlalchemy import exists
from sqlalchemy import insert
from sqlalchemy import literal_column
from sqlalchemy import select
from sqlalchemy import update

from chatapp.models import EventRow
from chatapp.models import Membership
from chatapp.models import Message
from chatapp.models import MessageStatus
from chatapp.models import Receipt
from chatapp.rows import Prepared
from chatapp.rows import Rows
from chatapp.rows import inserted_if

# Room and user.
Key = tuple[int, str]
# After and up to which place in the log.
Reach = tuple[int, int]

_RECEIPTS, _MESSAGES, _EVENTS = (cast(Table, model.__table__) for model in (Receipt, Message, EventRow))
_COLUMNS = ["room_id", "user_id", "first", "delivered"]
_OF_MEMBER = exists().where(Membership.room_id == bindparam("room_id"), Membership.user_id == bindparam("user_id"))


def _forward(new: Any) -> Any:
    # The order in which workers write must not matter: where a connection only began so far, later than this
    # ack, the ack was first. A joining is a beginning that no ack moves back.
    only_begun = Receipt.delivered < Receipt.first
    earlier = only_begun & (new.excluded.first < Receipt.first)
    further = new.excluded.delivered > Receipt.delivered
    return new.on_conflict_do_update(
        index_elements=["room_id", "user_id"],
        set_={
            "first": case((earlier, new.excluded.first), else_=Receipt.first),
            "delivered": case((only_begun | further, new.excluded.delivered), else_=Receipt.delivered),
        },
        where=further | earlier,
    )


def _earlier(new: Any) -> Any:
    # An ack may have been quicker, here or by way of another worker, and its first cursor lies later.
    return new.on_conflict_do_update(
        index_elements=["room_id", "user_id"],
        set_={
            "first": new.excluded.first,
            "delivered": case((Receipt.delivered < Receipt.first, new.excluded.delivered), else_=Receipt.delivered),
        },
        where=Receipt.first > new.excluded.first,
    )


ACK = inserted_if(_RECEIPTS, _COLUMNS, _OF_MEMBER, _forward)
BEGIN = inserted_if(_RECEIPTS, _COLUMNS, _OF_MEMBER, _earlier)
REACH = Prepared(
    select(_RECEIPTS.c.first, _RECEIPTS.c.delivered).where(
        _RECEIPTS.c.room_id == bindparam("room"), _RECEIPTS.c.user_id == bindparam("user")
    )
)
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


def move(rows: Rows, begun: Mapping[Key, int], joined: Iterable[Key], acks: Mapping[Key, int]) -> None:
    """Move the receipts of members forward, never back.

    One that says no more than where a connection began has `delivered` before `first`.
    """
    # A first cursor says nothing of what is older than what stands at it.
    moves = [_receipt(key, position - 1, position) for key, position in sorted(acks.items())]
    if moves:
        rows.run(ACK, moves)
    held = frozenset(joined)
    begins = [_receipt(key, at, at if key in held else at - 1) for key, at in sorted(begun.items())]
    if begins:
        rows.run(BEGIN, begins)


def reach(rows: Rows, keys: Iterable[Key]) -> dict[Key, Reach]:
    """What these receipts cover, as far as there are any."""
    asked = list(keys)
    found = rows.ask_each(REACH, [{"room": room_id, "user": user_id} for room_id, user_id in asked])
    return {key: (receipts[0][0], receipts[0][1]) for key, receipts in zip(asked, found, strict=True) if receipts}


def deliver(rows: Rows, rooms: Mapping[int, Reach]) -> bool:
    """Make delivered what was received within these parts of the rooms, and tell the senders in the same
    transaction. True if there was anything."""
    parts = [{"room": room_id, "after": after, "until": until} for room_id, (after, until) in sorted(rooms.items())]
    delivered = sorted(row for found in rows.ask_each(DELIVER, parts) for row in found)
    if delivered:
        told = [{"room": room_id, "message": id_, "sender": sender} for _, room_id, id_, sender in delivered]
        rows.run(TELL, told)
    return bool(delivered)


def _receipt(key: Key, first: int, delivered: int) -> dict[str, int | str]:
    return {"room_id": key[0], "user_id": key[1], "first": first, "delivered": delivered}
