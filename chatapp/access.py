"""Who may see and use which room: one answer for every door."""

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import Select
from sqlalchemy import and_
from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from chatapp.errors import Forbidden
from chatapp.errors import NotFound
from chatapp.models import Membership
from chatapp.models import Room
from chatapp.models import Visibility
from chatapp.schemas import ROOM_NAME

ID_MAX_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks, and by which session.

    `expires_at` is the end that is shown; `ends_at`, with the leeway of a host's token, the one that is kept.
    `rooms` are the only ones that exist for this identity, or None for all.
    """

    id: str
    name: str
    session_id: str
    expires_at: datetime
    ends_at: datetime
    rooms: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class RoomRef:
    """A room that an identity may read."""

    id: int
    name: str
    visibility: str
    member: bool
    owner_id: str | None

    @property
    def public(self) -> bool:
        return self.visibility == Visibility.PUBLIC


def _rooms(identity: Identity) -> Select[*tuple[Any, ...]]:
    """Every room that exists for this identity, with its membership where there is one."""
    query = select(Room.id, Room.name, Room.visibility, Room.owner_id, Membership.user_id).outerjoin(
        Membership, and_(Membership.room_id == Room.id, Membership.user_id == identity.id)
    )
    return query.where(within_claim(identity))


def within_claim(identity: Identity) -> ColumnElement[bool]:
    """Of a host token with a `rooms` claim: exactly these rooms exist for it."""
    return Room.name.in_(identity.rooms) if identity.rooms is not None else Room.id.is_not(None)


def readable_clause() -> ColumnElement[bool]:
    """Public, or joined by the outer-joined membership."""
    return (Room.visibility == Visibility.PUBLIC) | Membership.user_id.is_not(None)


def _refs(transaction: Transaction, query: Select[*tuple[Any, ...]]) -> list[RoomRef]:
    return [
        RoomRef(id_, name, visibility, user_id is not None, owner_id)
        for id_, name, visibility, owner_id, user_id in transaction.execute(query)
    ]


def readable(transaction: Transaction, identity: Identity, name: str) -> RoomRef:
    """The room, if it is there and may be read. Raises NotFound, the same for absent and foreign."""
    if ROOM_NAME.fullmatch(name) is None:
        raise NotFound
    rooms = _refs(transaction, _rooms(identity).where(Room.name == name, readable_clause()))
    if not rooms:
        raise NotFound
    return rooms[0]


def writable(transaction: Transaction, identity: Identity, name: str) -> RoomRef:
    """The room, if the identity is a member. Raises NotFound or, for a public room, Forbidden."""
    room = readable(transaction, identity, name)
    if not room.member:
        raise Forbidden("Join the room first.")
    return room


def readable_by_id(transaction: Transaction, identity: Identity, room_id: int) -> RoomRef:
    """Like `readable`, for a room that is known by its number."""
    rooms = _refs(transaction, _rooms(identity).where(Room.id == room_id, readable_clause()))
    if not rooms:
        raise NotFound
    return rooms[0]


def plain_id(value: str) -> str:
    """An id from outside, fit to be looked up: databases differ in what else they choke on. Raises NotFound."""
    if not 1 <= len(value) <= ID_MAX_LENGTH or not value.isprintable():
        raise NotFound
    return value


def memberships(transaction: Transaction, identity: Identity) -> list[RoomRef]:
    """The rooms that the identity belongs to, by name."""
    return list(claimed(identity, memberships_of(transaction, [identity.id])[identity.id]))


def claimed(identity: Identity, rooms: tuple[RoomRef, ...]) -> tuple[RoomRef, ...]:
    """Those of the rooms that exist for this identity; all of them are the same tuple."""
    return rooms if identity.rooms is None else tuple(room for room in rooms if room.name in identity.rooms)


def among(transaction: Transaction, identity: Identity, names: frozenset[str]) -> list[RoomRef]:
    """Those of the named rooms that may be read, by name."""
    asked = RoomsAsked(identity.id, identity.rooms, names)
    return list(among_for(transaction, [asked])[asked])


@dataclass(frozen=True, slots=True)
class RoomsAsked:
    """Rooms asked for by name: by whom, and within which claim (see `Identity.rooms`)."""

    user_id: str
    claim: frozenset[str] | None
    names: frozenset[str]


def memberships_of(transaction: Transaction, user_ids: Sequence[str]) -> dict[str, tuple[RoomRef, ...]]:
    """The rooms that each user belongs to, by name, whatever a token claims."""
    query = (
        select(Membership.user_id, Room.id, Room.name, Room.visibility, Room.owner_id)
        .join(Room, Room.id == Membership.room_id)
        .where(Membership.user_id.in_(user_ids))
        .order_by(Room.name)
    )
    rooms: dict[str, list[RoomRef]] = {user_id: [] for user_id in user_ids}
    for user_id, id_, name, visibility, owner_id in transaction.execute(query):
        rooms[user_id].append(RoomRef(id_, name, visibility, True, owner_id))
    return {user_id: tuple(found) for user_id, found in rooms.items()}


def among_for(transaction: Transaction, asked: Sequence[RoomsAsked]) -> dict[RoomsAsked, tuple[RoomRef, ...]]:
    """Of each, those of the named rooms that may be read, by name."""
    names = {name for one in asked for name in one.names if ROOM_NAME.fullmatch(name)}
    query = (
        select(Room.id, Room.name, Room.visibility, Room.owner_id, Membership.user_id)
        .outerjoin(
            Membership, and_(Membership.room_id == Room.id, Membership.user_id.in_({one.user_id for one in asked}))
        )
        .where(Room.name.in_(names))
    )
    rooms: dict[str, tuple[int, str, str | None]] = {}
    members: set[tuple[str, str | None]] = set()
    for id_, name, visibility, owner_id, user_id in transaction.execute(query):
        rooms[name] = (id_, visibility, owner_id)
        members.add((name, user_id))

    def found(one: RoomsAsked) -> Iterator[RoomRef]:
        for name in sorted(rooms.keys() & one.names & (one.names if one.claim is None else one.claim)):
            id_, visibility, owner_id = rooms[name]
            room = RoomRef(id_, name, visibility, (name, one.user_id) in members, owner_id)
            if room.public or room.member:
                yield room

    return {one: tuple(found(one)) for one in asked}


def public(transaction: Transaction, identity: Identity) -> list[RoomRef]:
    """The public rooms, by name."""
    return _refs(transaction, _rooms(identity).where(Room.visibility == Visibility.PUBLIC).order_by(Room.name))
