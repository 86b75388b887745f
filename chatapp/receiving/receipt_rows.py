"""What receipts do to the tables: they move forward, and what they reach becomes `delivered`.

A receipt belongs to one membership, from the place of its joining on, and only ever grows. So nothing here depends on
the order in which acks, joinings and messages are written, nor on which worker writes them.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from typing import NamedTuple
from typing import cast

from sqlalchemy import Table
from sqlalchemy import bindparam
from sqlalchemy import exists
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import literal_column
from sqlalchemy import select
from sqlalchemy import update

from chatapp.eventlog import COVERING
from chatapp.eventlog import Covered
from chatapp.storage import EventRow
from chatapp.storage import Message
from chatapp.storage import MessageStatus
from chatapp.storage import Prepared
from chatapp.storage import Receipt
from chatapp.storage import Rows
from chatapp.storage import uuid7
from chatapp.wire import event_types

# One membership: room, user, and the number of the joining.
Key = tuple[int, str, int]
# After which place in the log, and up to which.
Reach = tuple[int, int]

# Whoever is the first to confirm a room where much was said, a bot's perhaps, delivers all of it: so many messages of a
# room, and of all rooms (not counting the last one's), are looked at in one transaction.
OF_ROOM_MAX = 500
AT_ONCE = 2_000


class Sent(NamedTuple):
    """A message that is not delivered yet, in the order of the columns of `SENT`."""

    place: int
    room_id: int
    id: str
    sender_id: str


_RECEIPTS, _MESSAGES, _EVENTS = (cast(Table, model.__table__) for model in (Receipt, Message, EventRow))

_OF_MEMBERSHIP = (
    _RECEIPTS.c.room_id == bindparam("room"),
    _RECEIPTS.c.user_id == bindparam("user"),
    _RECEIPTS.c.joined == bindparam("joining"),
)
ACK = Prepared(
    update(_RECEIPTS)
    .where(*_OF_MEMBERSHIP, _RECEIPTS.c.delivered < bindparam("place"))
    .values(delivered=bindparam("place"))
)
REACH = Prepared(select(_RECEIPTS.c.first, _RECEIPTS.c.delivered).where(*_OF_MEMBERSHIP))
# Where nobody has received anything of the part, its messages need not be read.
_RECEIVED = exists().where(
    _RECEIPTS.c.room_id == bindparam("room"),
    _RECEIPTS.c.first < bindparam("until"),
    _RECEIPTS.c.delivered > bindparam("after"),
)
_SENT_IN_PART = (
    _MESSAGES.c.room_id == bindparam("room"),
    _MESSAGES.c.log_id > bindparam("after"),
    _MESSAGES.c.log_id <= bindparam("until"),
    # A literal, because the index holds only those.
    _MESSAGES.c.status == literal_column(f"'{MessageStatus.SENT.value}'"),
)
_FIRST = (
    select(_MESSAGES.c.log_id)
    .where(*_SENT_IN_PART, _RECEIVED)
    .order_by(_MESSAGES.c.log_id)
    .limit(OF_ROOM_MAX)
    .subquery()
)
# How many messages to look at, and the place of the last of them.
COUNT = Prepared(select(func.count(), func.max(_FIRST.c.log_id)).select_from(_FIRST))
SENT = Prepared(
    select(_MESSAGES.c.log_id, _MESSAGES.c.room_id, _MESSAGES.c.id, _MESSAGES.c.sender_id)
    .where(*_SENT_IN_PART)
    .order_by(_MESSAGES.c.log_id)
)
# Once: of two workers, one.
DELIVER = Prepared(
    update(_MESSAGES)
    .where(_MESSAGES.c.id == bindparam("message"), _MESSAGES.c.status == MessageStatus.SENT.value)
    .values(status=MessageStatus.DELIVERED.value)
    .returning(_MESSAGES.c.log_id, _MESSAGES.c.room_id, _MESSAGES.c.id, _MESSAGES.c.sender_id)
)
TELL = Prepared(
    insert(_EVENTS).values(
        type=event_types.MESSAGE_STATUS,
        room_id=bindparam("room"),
        message_id=bindparam("message"),
        target_id=bindparam("sender"),
        uid=bindparam("uid"),
    )
)


def move(rows: Rows, acks: Mapping[Key, int]) -> None:
    """Move the receipts forward, never back."""
    rows.run(ACK, [{**_membership(key), "place": place} for key, place in sorted(acks.items())])


def reach(rows: Rows, keys: Iterable[Key]) -> dict[Key, Reach]:
    """What these receipts cover, as far as their joinings are recorded."""
    asked = sorted(keys)
    found = rows.ask_each(REACH, [_membership(key) for key in asked])
    covered = {key: receipts[0] for key, receipts in zip(asked, found, strict=True) if receipts}
    return {key: (first, delivered) for key, (first, delivered) in covered.items() if first is not None}


def deliver(rows: Rows, rooms: Mapping[int, Reach], acked: Iterable[Key] = ()) -> tuple[bool, dict[int, Reach]]:
    """Make delivered what was received within these parts of the rooms, as much as fits into one transaction, and tell
    the senders in it. Returns whether there was anything, and the parts that are left.

    `acked` are receipts that moved: most of it was received by them, so the others need not be read.
    """
    parts, left = _first_of(rows, rooms)
    sent = {part["room"]: found for part, found in _ask_parts(rows, parts)}
    received = [one for found in _received(rows, sent, acked) for one in found]
    marked = rows.ask_each(DELIVER, [{"message": one.id} for one in sorted(received)]) if received else []
    told = [Sent._make(row) for row in sorted(row for found in marked for row in found)]
    if told:
        status = [{"room": one.room_id, "message": one.id, "sender": one.sender_id, "uid": uuid7()} for one in told]
        rows.run(TELL, status)
    return bool(told), left


def _ask_parts(rows: Rows, parts: list[dict[str, int]]) -> Iterable[tuple[dict[str, int], list[Sent]]]:
    found = rows.ask_each(SENT, parts)
    return [(part, [Sent._make(row) for row in sent]) for part, sent in zip(parts, found, strict=True)]


def _received(rows: Rows, sent: Mapping[int, list[Sent]], acked: Iterable[Key]) -> Iterable[list[Sent]]:
    """Of what was sent in each room, what another member has received."""
    keys = [key for key in acked if sent.get(key[0])]
    by_ackers: dict[int, list[Covered]] = {}
    for (room_id, user_id, _), reached in reach(rows, keys).items():
        by_ackers.setdefault(room_id, []).append(Covered(user_id, *reached))
    for room_id, messages in sorted(sent.items()):
        ackers = by_ackers.get(room_id, [])
        yield [one for one in messages if _covered(one, ackers)]
        others = [one for one in messages if not _covered(one, ackers)]
        if others:
            between = {"room": room_id, "oldest": others[0].place, "newest": others[-1].place}
            receipts = [Covered._make(row) for row in rows.ask(COVERING, between)]
            yield [one for one in others if _covered(one, receipts)]


def _covered(message: Sent, receipts: Iterable[Covered]) -> bool:
    return any(one.user_id != message.sender_id and one.first < message.place <= one.last for one in receipts)


def _first_of(rows: Rows, rooms: Mapping[int, Reach]) -> tuple[list[dict[str, int]], dict[int, Reach]]:
    """The parts that come first, and what is left of `rooms`."""
    asked = [{"room": room_id, "after": after, "until": until} for room_id, (after, until) in sorted(rooms.items())]
    parts: list[dict[str, int]] = []
    left = dict(rooms)
    looked_at = 0
    for part, [(count, last)] in zip(asked, rows.ask_each(COUNT, asked), strict=True):
        if looked_at >= AT_ONCE:
            break
        looked_at += count
        del left[part["room"]]
        if count == OF_ROOM_MAX and last < part["until"]:
            left[part["room"]] = (last, part["until"])
            part["until"] = last
        if count:
            parts.append(part)
    return parts, left


def _membership(key: Key) -> dict[str, int | str]:
    return {"room": key[0], "user": key[1], "joining": key[2]}


def by_room(reached: Iterable[tuple[int, Reach]]) -> dict[int, Reach]:
    """The part of each room that holds all that was reached there."""
    rooms: dict[int, Reach] = {}
    for room_id, (after, until) in reached:
        least, most = rooms.get(room_id, (after, until))
        rooms[room_id] = min(least, after), max(most, until)
    return rooms
