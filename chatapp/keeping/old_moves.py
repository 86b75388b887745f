"""Joinings and leavings that no cursor needs any more.

Of each user and room the last one stays: a reader with an older cursor is told by it that the room was won or lost. One
that was followed by another before that time tells nothing but of a time of which nothing else is left. Of guests who
are gone for good nobody has to be told anything.
"""

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from sqlalchemy import delete
from sqlalchemy import select
from sqlalchemy import tuple_
from sqlalchemy.orm import Session as Transaction

from chatapp.keeping import gone_guests
from chatapp.keeping.pages import pages
from chatapp.keeping.removed import Removed
from chatapp.storage import Database
from chatapp.storage import EventRow
from chatapp.storage import one_of
from chatapp.wire import Cursor
from chatapp.wire import event_types

ROWS_AT_ONCE = 1_000


class Move(NamedTuple):
    user_id: str
    room_id: int
    place: int
    number: int
    type: str

    @property
    def pair(self) -> tuple[str, int]:
        return self.user_id, self.room_id


# User, room and place in the log: the order of an index.
Place = tuple[str, int, int]


def remove(database: Database, until: Cursor, *, dry: bool) -> Iterator[Removed]:
    """Looks at some moves a step."""
    run = database.read if dry else database.write
    return pages(run, partial(_step, until=until, dry=dry), ("", 0, 0))


def _step(tx: Transaction, after: Place, until: Cursor, *, dry: bool) -> tuple[Removed, Place | None]:
    moves = _moves(tx, after)
    full = len(moves) == ROWS_AT_ONCE
    gone = set(gone_guests.without_session(tx, {one.user_id for one in moves}))
    numbers = [one.number for one, next_ in pairwise(moves) if _over(one, next_, until, gone)]
    if moves and not full and _over(moves[-1], None, until, gone):
        numbers.append(moves[-1].number)
    if numbers and not dry:
        tx.execute(delete(EventRow).where(one_of(tx, EventRow.number, numbers)))
    # What comes after the last of them is seen next time.
    return Removed(events=len(numbers)), moves[-2][:3] if full else None


def _moves(tx: Transaction, after: Place) -> list[Move]:
    columns = EventRow.user_id, EventRow.room_id, EventRow.log_id
    query = (
        select(*columns, EventRow.number, EventRow.type)
        .where(EventRow.user_id.is_not(None), EventRow.log_id.is_not(None), tuple_(*columns) > tuple_(*after))
        .order_by(*columns)
        .limit(ROWS_AT_ONCE)
    )
    return [Move._make(row) for row in tx.execute(query)]


def _over(move: Move, next_: Move | None, until: Cursor, gone: set[str]) -> bool:
    """Whether a move lies before that time, and so does the next one of its user and room, if anybody needs one."""
    if move.place >= until:
        return False
    if next_ is not None and next_.pair == move.pair:
        return next_.place < until
    return move.type == event_types.MEMBER_LEFT and move.user_id in gone
