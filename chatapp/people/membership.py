"""Joining and leaving: a membership and its event change together, in one transaction."""

import logging
from collections.abc import Iterable

from sqlalchemy import ScalarSelect
from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session as Transaction

from chatapp.errors import Forbidden
from chatapp.errors import NotFound
from chatapp.eventlog import growth
from chatapp.runtime import utc_now
from chatapp.storage import EventRow
from chatapp.storage import Growth
from chatapp.storage import Membership
from chatapp.storage import Receipt
from chatapp.storage import Room
from chatapp.storage import User
from chatapp.storage import Visibility
from chatapp.storage import insert_into
from chatapp.storage import one_of
from chatapp.storage import uuid7
from chatapp.wire import event_types
from chatapp.wire import schemas

log = logging.getLogger(__name__)

GENERAL = "general"
# All of them are looked at for each page of the past, and named in each `ready`.
ROOMS_MAX = 2_000
GUEST_PREFIX = "u_"
# Each takes a moment, within a transaction that others wait for.
ENDED_MAX = 20


def join(tx: Transaction, room_id: int, user_id: str) -> str:
    """Make the user a member. Returns the uid of the `member.joined` row, "" if the user was one before.

    Raises Forbidden where it would be one too many, and NotFound for a room that was deleted just now.
    """
    if not _there(tx, [room_id]):
        raise NotFound
    joined = tx.scalar(
        insert_into(tx, Membership)
        .values(room_id=room_id, user_id=user_id, joined_at=utc_now(), joined=0, name_order=_name_order(user_id))
        .on_conflict_do_nothing()
        .returning(Membership.user_id)
    )
    if joined is None:
        return ""
    _not_too_many(tx, room_id, user_id)
    number, uid = _announce(tx, event_types.MEMBER_JOINED, room_id, user_id)
    tx.execute(
        update(Membership).where(Membership.room_id == room_id, Membership.user_id == user_id).values(joined=number)
    )
    # What this membership receives counts from the joining's place in the log, which is recorded once it has one.
    tx.add(Receipt(room_id=room_id, user_id=user_id, joined=number))
    tx.flush()
    return uid


def _there(tx: Transaction, room_ids: list[int]) -> list[int]:
    """Those of these rooms that are there, and are not deleted before this transaction ends."""
    rooms = select(Room.id).where(one_of(tx, Room.id, room_ids), Room.deleted_at.is_(None))
    return list(tx.scalars(rooms.order_by(Room.id).with_for_update(read=True)))


def _name_order(user_id: str) -> ScalarSelect[str]:
    return select(User.name_order).where(User.id == user_id).scalar_subquery()


def renamed(tx: Transaction, user_id: str) -> None:
    """The user has another name now: each room's members are sorted by it."""
    tx.execute(update(Membership).where(Membership.user_id == user_id).values(name_order=_name_order(user_id)))


def leave(tx: Transaction, room_id: int, user_id: str) -> str:
    """End the membership. Returns the uid of the `member.left` row, "" if there was none."""
    left = tx.scalar(
        delete(Membership)
        .where(Membership.room_id == room_id, Membership.user_id == user_id)
        .returning(Membership.user_id)
    )
    if left is None:
        return ""
    _end_replies(tx, user_id, [room_id])
    _, uid = _announce(tx, event_types.MEMBER_LEFT, room_id, user_id)
    return uid


def leave_all(tx: Transaction, user_id: str) -> None:
    """End all memberships of a user who does not come back."""
    left = delete(Membership).where(Membership.user_id == user_id).returning(Membership.room_id)
    _announce_left(tx, sorted(tx.scalars(left)), user_id)


def leave_some(tx: Transaction, user_ids: Iterable[str], most: int) -> int:
    """End up to so many memberships of users who do not come back, in a handful of statements. Returns how many; 0:
    there are none."""
    theirs = select(Membership.user_id, Membership.room_id).where(one_of(tx, Membership.user_id, user_ids))
    pairs = tx.execute(theirs.order_by(Membership.user_id, Membership.room_id).limit(most)).all()
    users = sorted({user_id for user_id, _ in pairs})
    if len(pairs) == most and len(users) > 1:
        # Of the last one there may be more.
        pairs, users = [pair for pair in pairs if pair[0] != users[-1]], users[:-1]
    rooms = {room_id for _, room_id in pairs}
    these = one_of(tx, Membership.user_id, users), one_of(tx, Membership.room_id, rooms)
    left = sorted(tx.execute(delete(Membership).where(*these).returning(Membership.user_id, Membership.room_id)).all())
    if left:
        growth.end_those(tx, one_of(tx, Growth.sender_id, users), one_of(tx, Growth.room_id, rooms), most=ENDED_MAX)
        rows = [{"type": event_types.MEMBER_LEFT, "room_id": room_id, "user_id": user_id} for user_id, room_id in left]
        tx.execute(insert(EventRow), rows)
    return len(left)


def claim(tx: Transaction, user_id: str, names: frozenset[str]) -> None:
    """Make the memberships those of a host token: rooms it names are made and joined, others left.

    A token may name two thousand, so all of them go in a handful of statements.
    """
    query = (
        select(Room.name, Room.id)
        .join(Membership, Membership.room_id == Room.id)
        .where(Membership.user_id == user_id, Room.visibility != Visibility.DIRECT, Room.deleted_at.is_(None))
    )
    mine = dict(tx.execute(query).all())
    _leave(tx, sorted(mine[name] for name in mine.keys() - names), user_id)
    # Direct rooms are found by their pair, never by name; nobody can be added.
    new = [name for name in sorted(names - mine.keys()) if not name.startswith(schemas.DIRECT_PREFIX)]
    _join(tx, _claimed(tx, new), user_id)


def _claimed(tx: Transaction, names: list[str]) -> list[int]:
    """The rooms of these names, made where there are none; without those that a guest has taken."""
    if not names:
        return []
    rows = [{"name": name, "visibility": Visibility.PRIVATE, "created_at": utc_now()} for name in names]
    tx.execute(insert_into(tx, Room).on_conflict_do_nothing(index_elements=["name"]), rows)
    # One that is just being deleted keeps its name a little longer: the next token brings the claim again.
    there = one_of(tx, Room.name, names), Room.deleted_at.is_(None)
    found = tx.execute(select(Room.name, Room.id, Room.owner_id).where(*there)).all()
    for name, _, owner_id in found:
        if _is_guest(owner_id):
            # What the host's people say is not for whoever took the name first.
            log.warning("a host's token names the room %s, which is a guest's: left out", name)
    return sorted(id_ for _, id_, owner_id in found if not _is_guest(owner_id))


def _is_guest(user_id: str | None) -> bool:
    return user_id is not None and user_id.startswith(GUEST_PREFIX)


def _join(tx: Transaction, room_ids: list[int], user_id: str) -> None:
    """Make the user a member of all these, like `join`."""
    room_ids = _there(tx, room_ids) if room_ids else []
    if not room_ids:
        return
    order = tx.scalar(select(User.name_order).where(User.id == user_id))
    rows = [
        {"room_id": id_, "user_id": user_id, "joined_at": utc_now(), "joined": 0, "name_order": order}
        for id_ in room_ids
    ]
    new = insert_into(tx, Membership).on_conflict_do_nothing().returning(Membership.room_id)
    joined = sorted(tx.scalars(new, rows))
    if not joined:
        return  # By another worker, just now.
    numbers = _announce_all(tx, event_types.MEMBER_JOINED, joined, user_id)
    numbered = [
        {"room_id": id_, "user_id": user_id, "joined": number} for id_, number in zip(joined, numbers, strict=True)
    ]
    tx.execute(update(Membership), numbered)
    tx.execute(insert(Receipt), numbered)


def _leave(tx: Transaction, room_ids: list[int], user_id: str) -> None:
    """End the user's memberships of these, like `leave`."""
    if room_ids:
        these = Membership.user_id == user_id, one_of(tx, Membership.room_id, room_ids)
        left = delete(Membership).where(*these).returning(Membership.room_id)
        _announce_left(tx, sorted(tx.scalars(left)), user_id)


def _announce_left(tx: Transaction, room_ids: list[int], user_id: str) -> None:
    _end_replies(tx, user_id, room_ids)
    _announce_all(tx, event_types.MEMBER_LEFT, room_ids, user_id)


def _end_replies(tx: Transaction, user_id: str, room_ids: list[int]) -> None:
    """What the user was still writing in these rooms ends as it stands, at most some of it: nothing more can be added,
    and the rest is ended by whoever looks for that."""
    growth.end_those(tx, Growth.sender_id == user_id, one_of(tx, Growth.room_id, room_ids), most=ENDED_MAX)


def _announce_all(tx: Transaction, type_: str, room_ids: list[int], user_id: str) -> list[int]:
    """An event for each of these rooms. Returns their numbers."""
    if not room_ids:
        return []
    rows = [{"type": type_, "room_id": room_id, "user_id": user_id} for room_id in room_ids]
    # In one transaction the rows of one table get rising numbers in their order.
    return list(tx.scalars(insert(EventRow).returning(EventRow.number, sort_by_parameter_order=True), rows))


def _not_too_many(tx: Transaction, room_id: int, user_id: str) -> None:
    """Direct rooms, into which others bring one, are counted apart: nobody can be kept out of rooms by them. Raises
    Forbidden."""
    direct = tx.scalar(select(Room.visibility).where(Room.id == room_id)) == Visibility.DIRECT
    rooms = (
        select(Membership.room_id)
        .join(Room, Room.id == Membership.room_id)
        .where(
            Membership.user_id == user_id,
            Room.deleted_at.is_(None),
            (Room.visibility == Visibility.DIRECT).is_(direct),
        )
        .limit(ROOMS_MAX + 1)
        .subquery()
    )
    if (tx.scalar(select(func.count()).select_from(rooms)) or 0) > ROOMS_MAX:
        raise Forbidden(f"Nobody can belong to more than {ROOMS_MAX:,} rooms.")


def _announce(tx: Transaction, type_: str, room_id: int, user_id: str) -> tuple[int, str]:
    """An event. Returns its number and its uid."""
    # After the membership itself, whose row lock puts joining and leaving of one user in one order.
    row = EventRow(type=type_, room_id=room_id, user_id=user_id, uid=(uid := uuid7()))
    tx.add(row)
    tx.flush()
    return row.number, uid
