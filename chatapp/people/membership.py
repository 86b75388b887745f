"""Joining and leaving: a membership and its event change together, in one transaction."""

import logging

from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session as Transaction

from chatapp.errors import Forbidden
from chatapp.eventlog import JOINED
from chatapp.eventlog import LEFT
from chatapp.runtime import utc_now
from chatapp.storage import EventRow
from chatapp.storage import Membership
from chatapp.storage import Receipt
from chatapp.storage import Room
from chatapp.storage import Visibility
from chatapp.storage import insert_into
from chatapp.wire import schemas

log = logging.getLogger(__name__)

GENERAL = "general"
# All of them are looked at for each page of the past, and named in each `ready`.
ROOMS_MAX = 2_000
GUEST_PREFIX = "u_"


def join(tx: Transaction, room_id: int, user_id: str, *, bounded: bool = True) -> int:
    """Make the user a member. Returns the number of the `member.joined` row, 0 if the user was one before.

    Raises Forbidden where it would be one too many, if `bounded`.
    """
    joined = tx.scalar(
        insert_into(tx, Membership)
        .values(room_id=room_id, user_id=user_id, joined_at=utc_now(), joined=0)
        .on_conflict_do_nothing()
        .returning(Membership.user_id)
    )
    if joined is None:
        return 0
    if bounded:
        _not_too_many(tx, room_id, user_id)
    number = _announce(tx, JOINED, room_id, user_id)
    tx.execute(
        update(Membership).where(Membership.room_id == room_id, Membership.user_id == user_id).values(joined=number)
    )
    # What this membership receives counts from the joining's place in the log, which is recorded once it has one.
    tx.add(Receipt(room_id=room_id, user_id=user_id, joined=number))
    tx.flush()
    return number


def leave(tx: Transaction, room_id: int, user_id: str) -> int:
    """End the membership. Returns the number of the `member.left` row, 0 if there was none."""
    left = tx.scalar(
        delete(Membership)
        .where(Membership.room_id == room_id, Membership.user_id == user_id)
        .returning(Membership.user_id)
    )
    return _announce(tx, LEFT, room_id, user_id) if left is not None else 0


def leave_all(tx: Transaction, user_id: str) -> None:
    """End all memberships of a user who does not come back."""
    left = delete(Membership).where(Membership.user_id == user_id).returning(Membership.room_id)
    rows = [{"type": LEFT, "room_id": room_id, "user_id": user_id} for room_id in sorted(tx.scalars(left))]
    if rows:
        tx.execute(insert(EventRow), rows)


def claim(tx: Transaction, user_id: str, names: frozenset[str]) -> None:
    """Make the memberships those of a host token: rooms it names are made and joined, others left."""
    query = (
        select(Room.name, Room.id)
        .join(Membership, Membership.room_id == Room.id)
        .where(Membership.user_id == user_id, Room.visibility != Visibility.DIRECT)
    )
    mine = dict(tx.execute(query).all())
    for name in sorted(mine.keys() - names):
        leave(tx, mine[name], user_id)
    for name in sorted(names - mine.keys()):
        if name.startswith(schemas.DIRECT_PREFIX):
            continue  # Found by its pair, never by name; nobody can be added.
        tx.execute(
            insert_into(tx, Room)
            .values(name=name, visibility=Visibility.PRIVATE, created_at=utc_now())
            .on_conflict_do_nothing(index_elements=["name"])
        )
        room = tx.scalars(select(Room).where(Room.name == name)).one()
        if room.owner_id is not None and room.owner_id.startswith(GUEST_PREFIX):
            # What the host's people say is not for whoever took the name first.
            log.warning("a host's token names the room %s, which is a guest's: left out", name)
            continue
        # A token names no more than anybody may belong to.
        join(tx, room.id, user_id, bounded=False)


def _not_too_many(tx: Transaction, room_id: int, user_id: str) -> None:
    """Direct rooms, into which others bring one, are counted apart: nobody can be kept out of rooms by them. Raises
    Forbidden."""
    direct = tx.scalar(select(Room.visibility).where(Room.id == room_id)) == Visibility.DIRECT
    rooms = (
        select(Membership.room_id)
        .join(Room, Room.id == Membership.room_id)
        .where(Membership.user_id == user_id, (Room.visibility == Visibility.DIRECT).is_(direct))
        .limit(ROOMS_MAX + 1)
        .subquery()
    )
    if (tx.scalar(select(func.count()).select_from(rooms)) or 0) > ROOMS_MAX:
        raise Forbidden(f"Nobody can belong to more than {ROOMS_MAX:,} rooms.")


def _announce(tx: Transaction, type_: str, room_id: int, user_id: str) -> int:
    # After the membership itself, whose row lock puts joining and leaving of one user in one order.
    row = EventRow(type=type_, room_id=room_id, user_id=user_id)
    tx.add(row)
    tx.flush()
    return row.number
