"""How rooms look to one user, one or a page of them. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction
from sqlalchemy.orm import aliased

from chatapp.errors import InvalidParameter
from chatapp.eventlog import growth
from chatapp.people import access
from chatapp.people import page_place
from chatapp.people.identity import Identity
from chatapp.people.room_ref import RoomRef
from chatapp.people.unread import Read
from chatapp.people.unread import reads
from chatapp.storage import Membership
from chatapp.storage import Message
from chatapp.storage import Receipt
from chatapp.storage import Room
from chatapp.storage import User
from chatapp.storage import Visibility
from chatapp.storage import one_of
from chatapp.storage import rows_within

# Of whoever is no member.
NOT_READ = Read(None, 0)


@dataclass(frozen=True, slots=True)
class RoomView:
    """A room as one user sees it. `online_count` is 0 as the database has it."""

    id: int
    name: str
    title: str | None
    visibility: str
    member: bool
    owner: str | None
    member_count: int
    last_message: Message | None
    read_cursor: int | None
    unread: int
    online_count: int = 0


def page(tx: Transaction, who: Identity, after: str | None, limit: int) -> tuple[Sequence[RoomView], str | None]:
    """Own rooms, then public ones, by name, and where the next page begins. Raises InvalidParameter."""
    last = _decode(after)
    # Sorted by the database, byte by byte in both.
    mine = access.memberships(tx, who)
    refs = [(0, ref) for ref in mine if (0, ref.name) > last]
    if len(refs) <= limit:
        behind = last[1] if last[0] == 1 else ""
        refs += [(1, ref) for ref in access.public(tx, who, mine, behind, limit + 1 - len(refs))]
    page = refs[:limit]
    behind_page = page_place.written(str(page[-1][0]), page[-1][1].name) if len(refs) > limit else None
    return views(tx, who, [ref for _, ref in page]), behind_page


def views(tx: Transaction, who: Identity, refs: list[RoomRef]) -> list[RoomView]:
    """These rooms as the user sees them, in the same order."""
    ids = [ref.id for ref in refs]
    counting = (
        select(Membership.room_id, func.count()).where(one_of(tx, Membership.room_id, ids)).group_by(Membership.room_id)
    )
    counts = dict(tx.execute(counting).all())
    titles = dict(tx.execute(select(Room.id, Room.title).where(one_of(tx, Room.id, ids))).all())
    titles.update(_direct_titles(tx, who, [ref.id for ref in refs if ref.visibility == Visibility.DIRECT]))
    newest = _last_messages(tx, ids)
    read = reads(rows_within(tx), who.id, ids)
    return [
        RoomView(
            ref.id,
            ref.name,
            titles.get(ref.id),
            ref.visibility,
            ref.member,
            ref.owner_id,
            counts.get(ref.id, 0),
            newest.get(ref.id),
            read.get(ref.id, NOT_READ).place,
            read.get(ref.id, NOT_READ).unread,
        )
        for ref in refs
    ]


def _direct_titles(tx: Transaction, who: Identity, ids: Sequence[int]) -> dict[int, str]:
    """A direct room is named after the other user, also one who left it: the receipt of a membership stays."""
    query = (
        select(Receipt.room_id, User.name)
        .join(User, User.id == Receipt.user_id)
        .where(one_of(tx, Receipt.room_id, ids), User.id != who.id)
    )
    return dict(tx.execute(query).all())


def _last_messages(tx: Transaction, ids: list[int]) -> dict[int, Message]:
    newest = aliased(Message)
    newest_id = (
        select(newest.id)
        .where(newest.room_id == Room.id, newest.log_id.is_not(None))
        .order_by(newest.log_id.desc())
        .limit(1)
        .correlate(Room)
        .scalar_subquery()
    )
    query = (
        select(Message).join(Room, Room.id == Message.room_id).where(one_of(tx, Room.id, ids), Message.id == newest_id)
    )
    messages = list(tx.scalars(query))
    growth.complete(tx, messages)
    return {message.room_id: message for message in messages}


def _decode(after: str | None) -> tuple[int, str]:
    """Which of the two lists goes on, and behind which name. Raises InvalidParameter."""
    rank, name = page_place.read(after) or ("0", "")
    if rank not in ("0", "1"):
        raise InvalidParameter("after: take it from the page before.")
    return int(rank), name
