"""What was said so long ago that it is not kept, room by room, with the events that told of it.

A message goes when all that was ever told of it lies before that time: an edit or a withdrawal that a reader may still
have to hear of keeps it. What waits to be published is younger than anything, and what grows is not complete.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from functools import partial

from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from chatapp.keeping import gone_guests
from chatapp.keeping.pages import pages
from chatapp.keeping.removed import Removed
from chatapp.storage import Database
from chatapp.storage import EventRow
from chatapp.storage import Message
from chatapp.storage import Room
from chatapp.storage import one_of
from chatapp.wire import PACKED_MAX
from chatapp.wire import Cursor

ROOMS_AT_ONCE = 500
MESSAGES_AT_ONCE = 200
# Two or three a message, but one that was edited all day has thousands.
EVENTS_AT_ONCE = 600


def remove(database: Database, until: Cursor, *, dry: bool) -> Iterator[Removed]:
    """Some messages a step, of all rooms."""
    after: int | None = 0
    while after is not None:
        old, after = database.read(partial(_rooms, after=after, until=until))
        for room_id in old:
            yield from of_room(database, room_id, until, dry=dry)
        yield Removed()


def _rooms(tx: Transaction, after: int, until: Cursor) -> tuple[list[int], int | None]:
    """Of the next rooms those that have old messages, and the last that was looked at."""
    some = select(Room.id, Room.deleted_at).where(Room.id > after).order_by(Room.id).limit(ROOMS_AT_ONCE).subquery()
    first = select(Message.log_id).where(Message.room_id == some.c.id, Message.log_id.is_not(None))
    oldest = first.order_by(Message.log_id).limit(1).correlate(some).scalar_subquery()
    found = tx.execute(select(some.c.id, some.c.deleted_at, oldest).order_by(some.c.id)).all()
    # What is left of a deleted room is swept anyway.
    old = [id_ for id_, deleted_at, place in found if deleted_at is None and place is not None and place < until]
    return old, found[-1][0] if found else None


def of_room(database: Database, room_id: int, until: Cursor, *, dry: bool) -> Iterator[Removed]:
    """Some messages of one room a step."""
    run = database.read if dry else database.write
    return pages(run, partial(_step, room_id=room_id, until=until, dry=dry), 0)


def _step(tx: Transaction, after: int, room_id: int, until: Cursor, *, dry: bool) -> tuple[Removed, int | None]:
    """What it removed, and where the next one goes on in the room."""
    said = select(Message.id, Message.log_id, Message.sender_id).where(
        Message.room_id == room_id, Message.log_id.is_not(None), Message.log_id > after, Message.log_id < until.packed
    )
    found = tx.execute(said.order_by(Message.log_id).limit(MESSAGES_AT_ONCE)).all()
    if not found:
        return Removed(), None
    ids, last = _unheld(tx, _locked(tx, [id_ for id_, _, _ in found], dry=dry), until), found[-1][1]
    of_these = one_of(tx, EventRow.message_id, ids)
    if dry:
        events = tx.scalar(select(func.count()).select_from(EventRow).where(of_these)) or 0
        return Removed(messages=len(ids), events=events), last
    numbers = list(tx.scalars(select(EventRow.number).where(of_these).limit(EVENTS_AT_ONCE)))
    tx.execute(delete(EventRow).where(one_of(tx, EventRow.number, numbers)))
    full = len(numbers) == EVENTS_AT_ONCE
    # Each goes with the last of its events, so that none is left without, should there be no next step.
    over = _without_events(tx, ids) if full else set(ids)
    if over:
        tx.execute(delete(Message).where(one_of(tx, Message.id, over)))
    senders = {sender_id for id_, _, sender_id in found if id_ in over}
    removed = Removed(len(over), len(numbers), guests=gone_guests.take_names(tx, senders))
    return removed, after if full else last


def _locked(tx: Transaction, ids: Iterable[str], *, dry: bool) -> list[str]:
    """Those that do not grow. From here on nobody changes them; what somebody is changing just now is left alone."""
    query = select(Message.id).where(one_of(tx, Message.id, ids), Message.growing.is_(False)).order_by(Message.id)
    return list(tx.scalars(query if dry else query.with_for_update(skip_locked=True)))


def _unheld(tx: Transaction, ids: list[str], until: Cursor) -> list[str]:
    """Those of which nothing younger was told, and nothing is still to be told: by the newest event of each, however
    many there are. Events of one message get their places in the order of their numbers."""
    place = func.coalesce(EventRow.log_id, PACKED_MAX)
    newest = select(place).where(EventRow.message_id == Message.id).order_by(EventRow.number.desc()).limit(1)
    told = newest.correlate(Message).scalar_subquery()
    # Of what was imported nothing was ever told.
    unheld = func.coalesce(told, 0) < until.packed
    return list(tx.scalars(select(Message.id).where(one_of(tx, Message.id, ids), unheld)))


def _without_events(tx: Transaction, ids: list[str]) -> set[str]:
    event = select(EventRow.number).where(EventRow.message_id == Message.id).limit(1)
    none_left = event.correlate(Message).scalar_subquery().is_(None)
    return set(tx.scalars(select(Message.id).where(one_of(tx, Message.id, ids), none_left)))
