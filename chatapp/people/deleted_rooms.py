"""`DeletedRooms`: takes apart what was deleted, some rows at a time: first who belonged to it, then what was said."""

from typing import Any

from sqlalchemy import delete
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from chatapp.eventlog import Outbox
from chatapp.eventlog import growth
from chatapp.runtime import Loop
from chatapp.runtime import utc_now
from chatapp.storage import Database
from chatapp.storage import EventRow
from chatapp.storage import Growth
from chatapp.storage import Membership
from chatapp.storage import Message
from chatapp.storage import Receipt
from chatapp.storage import Room
from chatapp.storage import Visibility
from chatapp.storage import ago
from chatapp.storage import one_of
from chatapp.storage import uuid7
from chatapp.wire import event_types

# Members who are told in one transaction: their events come before what others say.
TOLD_AT_ONCE = 200
MESSAGES_AT_ONCE = 100
ROWS_AT_ONCE = 500
ROOMS_AT_ONCE = 100
PAUSE_S = 0.1
INTERVAL_S = 10.0
# A send that was under way is committed by then, and swept with the rest.
LATE_S = 60.0

UNSWEPT = select(Room).where(Room.deleted_at.is_not(None), Room.swept_at.is_(None))


class DeletedRooms:
    """Any worker does the next step of any room. A room that is locked is another worker's just now."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox
        self._loop = Loop("deleted rooms", self._step, interval_s=INTERVAL_S, pause_s=PAUSE_S)

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    def wake(self) -> None:
        self._loop.wake()

    def _step(self) -> None:
        # Nearly always there is nothing to do, and nobody has to wait for that.
        if self._database.read(lambda tx: tx.scalar(UNSWEPT.limit(1))) is None:
            return
        if self._database.write(_sweep_one):
            self._outbox.wake()
            self._loop.wake()


def end_memberships(tx: Transaction, room: Room) -> str:
    """End some of the memberships of a room that is deleted, each by an event of its own. With the last of them its
    name is free, and whoever visits it is told. Returns the uid of the last event.
    """
    some = list(tx.scalars(select(Membership.user_id).where(Membership.room_id == room.id).limit(TOLD_AT_ONCE)))
    ended = delete(Membership).where(Membership.room_id == room.id, one_of(tx, Membership.user_id, some))
    user_ids = sorted(tx.scalars(ended.returning(Membership.user_id)))
    theirs = select(Growth.message_id).where(one_of(tx, Growth.sender_id, user_ids), Growth.room_id == room.id)
    growth.forget(tx, list(tx.scalars(theirs)))
    rows: list[dict[str, Any]] = [{"user_id": user_id, "target_id": user_id} for user_id in user_ids]
    if len(some) < TOLD_AT_ONCE:
        rows.append({"user_id": None, "target_id": None})
    rows = [{"type": event_types.ROOM_DELETED, "room_id": room.id, "uid": uuid7(), **row} for row in rows]
    tx.execute(insert(EventRow), rows)
    if len(some) < TOLD_AT_ONCE:
        # The last step: whoever writes into the room waits for it, and may hold what the others needed.
        room.former_name, room.name, room.visibility = room.name, f"~{room.id}", Visibility.PRIVATE
        tx.flush()
    last: str = rows[-1]["uid"]
    return last


def _sweep_one(tx: Transaction) -> bool:
    """The next step for one room. Returns whether there was something to do."""
    unswept = (
        UNSWEPT.add_columns(ago(LATE_S))
        .order_by(Room.id)
        .limit(ROOMS_AT_ONCE)
        .with_for_update(skip_locked=True, of=Room)
    )
    for room, late in tx.execute(unswept).all():
        assert room.deleted_at is not None
        if room.former_name is None:
            end_memberships(tx, room)
        elif not any(sweep(tx, room.id) for sweep in (_messages, _moves, _receipts)):
            if room.deleted_at > late or _waiting(tx, room.id):
                continue
            room.swept_at = utc_now()
        return True
    return False


def _waiting(tx: Transaction, room_id: int) -> bool:
    """Whether something of it is not in the log yet, as while Redis is away."""
    waiting = select(EventRow.number).where(EventRow.room_id == room_id, EventRow.log_id.is_(None))
    return tx.scalar(waiting.limit(1)) is not None


def _messages(tx: Transaction, room_id: int) -> bool:
    """Some messages, with their events, or some of these. Returns whether there were any."""
    said = select(Message.id).where(Message.room_id == room_id, Message.log_id.is_not(None)).limit(MESSAGES_AT_ONCE)
    ids = list(tx.scalars(said))
    if ids:
        # Before what was added to them, as whoever ends them does.
        tx.execute(select(Message.id).where(one_of(tx, Message.id, ids)).order_by(Message.id).with_for_update()).all()
        growth.forget(tx, ids)
        # One that was edited all day has thousands.
        told = select(EventRow.number).where(one_of(tx, EventRow.message_id, ids)).limit(ROWS_AT_ONCE)
        numbers = list(tx.scalars(told))
        tx.execute(delete(EventRow).where(one_of(tx, EventRow.number, numbers)))
        if len(numbers) < ROWS_AT_ONCE:
            tx.execute(delete(Message).where(one_of(tx, Message.id, ids)))
    return bool(ids)


def _moves(tx: Transaction, room_id: int) -> bool:
    """Who joined and left, and how the room was changed. What its deletion says stays: it is the last of the room."""
    rows = select(EventRow.number, EventRow.type).where(EventRow.room_id == room_id, EventRow.log_id.is_not(None))
    # From both ends: somebody may have left in between, and the many who were told lie there.
    ends = (EventRow.log_id, EventRow.log_id.desc())
    found = {row for order in ends for row in tx.execute(rows.order_by(order).limit(ROWS_AT_ONCE))}
    numbers = [number for number, type_ in found if type_ != event_types.ROOM_DELETED]
    if numbers:
        tx.execute(delete(EventRow).where(one_of(tx, EventRow.number, numbers)))
    return bool(numbers)


def _receipts(tx: Transaction, room_id: int) -> bool:
    some = select(Receipt.user_id).where(Receipt.room_id == room_id).limit(ROWS_AT_ONCE)
    user_ids = list(tx.scalars(some))
    if user_ids:
        tx.execute(delete(Receipt).where(Receipt.room_id == room_id, one_of(tx, Receipt.user_id, user_ids)))
    return bool(user_ids)
