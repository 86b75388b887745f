"""Receipts of memberships that ended, where they cover nothing that is left.

What a receipt covers counts in `deliveredTo`, which never goes back: so it stays as long as a message that it covers.
"""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from sqlalchemy import bindparam
from sqlalchemy import delete
from sqlalchemy import select
from sqlalchemy import tuple_
from sqlalchemy.orm import Session as Transaction

from chatapp.keeping.pages import pages
from chatapp.keeping.removed import Removed
from chatapp.storage import Database
from chatapp.storage import Membership
from chatapp.storage import Message
from chatapp.storage import Receipt
from chatapp.storage import Room
from chatapp.storage import Visibility
from chatapp.storage import one_of
from chatapp.wire import Cursor

ROWS_AT_ONCE = 1_000

# Room, user, and the number of the joining: the key.
Key = tuple[int, str, int]
REMOVE = delete(Receipt).where(
    Receipt.room_id == bindparam("room"),
    Receipt.user_id == bindparam("user"),
    Receipt.joined == bindparam("joining"),
    # Nobody has moved it meanwhile.
    Receipt.delivered == bindparam("reached"),
)


class Old(NamedTuple):
    room_id: int
    user_id: str
    joined: int
    first: int | None
    delivered: int
    read: int | None
    visibility: str
    # The joining of the membership that there is now.
    now: int | None

    @property
    def former(self) -> bool:
        """Whether its membership is over. A direct room is named after whoever left it, too."""
        return self.now != self.joined and self.first is not None and self.visibility != Visibility.DIRECT


def remove(database: Database, until: Cursor, *, dry: bool) -> Iterator[Removed]:
    """Looks at some receipts a step."""
    run = database.read if dry else database.write
    return pages(run, partial(_step, until=until, dry=dry), (0, "", 0))


def _step(tx: Transaction, after: Key, until: Cursor, *, dry: bool) -> tuple[Removed, Key | None]:
    found = _receipts(tx, after)
    former = [one for one in found if one.former]
    oldest = _oldest(tx, {one.room_id for one in former})
    over = [one for one in former if max(one.delivered, one.read or 0) < min(until, oldest.get(one.room_id) or until)]
    if over and not dry:
        rows = [{"room": one[0], "user": one[1], "joining": one[2], "reached": one.delivered} for one in over]
        tx.connection().execute(REMOVE, rows)
    return Removed(receipts=len(over)), found[-1][:3] if found else None


def _receipts(tx: Transaction, after: Key) -> list[Old]:
    key = Receipt.room_id, Receipt.user_id, Receipt.joined
    columns = *key, Receipt.first, Receipt.delivered, Receipt.read
    page = select(*columns).where(tuple_(*key) > tuple_(*after)).order_by(*key).limit(ROWS_AT_ONCE).subquery("page")
    query = select(page, Room.visibility).select_from(page.join(Room, Room.id == page.c.room_id))
    found = tx.execute(query.order_by(page.c.room_id, page.c.user_id, page.c.joined)).all()
    now = _memberships(tx, found[0][:2]) if found else {}
    return [Old._make((*row, now.get(row[:2]))) for row in found]


def _memberships(tx: Transaction, first: tuple[int, str]) -> dict[tuple[int, str], int]:
    """By room and user, the joinings of those that there are: each has a receipt, so a page of these has no more.

    Asked for one by one, PostgreSQL would look through all rooms of a user for each.
    """
    key = Membership.room_id, Membership.user_id
    page = select(*key, Membership.joined).where(tuple_(*key) >= tuple_(*first)).order_by(*key).limit(ROWS_AT_ONCE)
    return {(room_id, user_id): joined for room_id, user_id, joined in tx.execute(page)}


def _oldest(tx: Transaction, room_ids: set[int]) -> dict[int, int | None]:
    """The place of the oldest message that is left of each of these rooms."""
    first = select(Message.log_id).where(Message.room_id == Room.id, Message.log_id.is_not(None))
    oldest = first.order_by(Message.log_id).limit(1).correlate(Room).scalar_subquery()
    return dict(tx.execute(select(Room.id, oldest).where(one_of(tx, Room.id, room_ids))).all()) if room_ids else {}
