"""Who may see and use what: one answer for every door.

A new kind of visibility changes `RoomRef.readable`, a new kind of event `may_see`.
"""

import json
from collections.abc import Container
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from typing import Protocol
from typing import cast

from sqlalchemy import ColumnElement
from sqlalchemy import Select
from sqlalchemy import Table
from sqlalchemy import and_
from sqlalchemy import bindparam
from sqlalchemy import literal_column
from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from chatapp.errors import Forbidden
from chatapp.errors import NotFound
from chatapp.people.identity import Identity
from chatapp.people.room_ref import JoinedRooms
from chatapp.people.room_ref import RoomRef
from chatapp.storage import Membership
from chatapp.storage import Message
from chatapp.storage import Prepared
from chatapp.storage import Room
from chatapp.storage import Rows
from chatapp.storage import Visibility
from chatapp.storage import one_of
from chatapp.storage import rows_within
from chatapp.wire import schemas

ID_MAX_LENGTH = 255

_MEMBERSHIPS, _ROOMS = (cast(Table, model.__table__) for model in (Membership, Room))
# Those of these rooms (a JSON array of their ids) that a user belongs to.
BELONG = Prepared.among(
    _MEMBERSHIPS.c.room_id,
    "rooms",
    lambda among_these: select(_MEMBERSHIPS.c.room_id).where(_MEMBERSHIPS.c.user_id == bindparam("user"), among_these),
)
_OF_USER = and_(_MEMBERSHIPS.c.room_id == _ROOMS.c.id, _MEMBERSHIPS.c.user_id == bindparam("user"))


_BY_NAME = (
    select(_ROOMS.c.id, _ROOMS.c.name, _ROOMS.c.visibility, _ROOMS.c.owner_id)
    .where(_ROOMS.c.deleted_at.is_(None), _ROOMS.c.name > bindparam("behind"))
    .order_by(_ROOMS.c.name)
    .limit(bindparam("most"))
)
OWN = Prepared(_BY_NAME.join_from(_ROOMS, _MEMBERSHIPS, _OF_USER))
# They are found by an index that holds only these, in their order: no page reads the others.
PUBLIC = Prepared(
    _BY_NAME.where(
        # A literal, because the index holds only those.
        _ROOMS.c.visibility == literal_column(f"'{Visibility.PUBLIC.value}'"),
        # Asked for each room, by the key. Of NOT EXISTS PostgreSQL makes a join that reads all of the user's each time.
        select(_MEMBERSHIPS.c.room_id).where(_OF_USER).correlate(_ROOMS).scalar_subquery().is_(None),
    )
)


class Happening(Protocol):
    """What `may_see` has to know of an event, live or from the database."""

    @property
    def room_id(self) -> int | None: ...
    @property
    def room_name(self) -> str: ...
    @property
    def target(self) -> str | None: ...
    @property
    def about(self) -> str | None: ...


def may_see(
    who: Identity, follows: Container[int], event: Happening, *, moves_in: Container[int] | None = None
) -> bool:
    """Whether a connection of this user that follows these rooms is given the event.

    Of other rooms it is given only the user's own joining and leaving: of those in `moves_in`, or of all.
    """
    if event.target is not None and event.target != who.id:
        return False
    if event.room_id in follows:
        return True
    if event.about != who.id:
        return False
    return who.knows(event.room_name) if moves_in is None else event.room_id in moves_in


def _rooms(identity: Identity) -> Select[*tuple[Any, ...]]:
    """Every room that exists for this identity, with its membership where there is one."""
    query = select(Room.id, Room.name, Room.visibility, Room.owner_id, Membership.user_id).outerjoin(
        Membership, and_(Membership.room_id == Room.id, Membership.user_id == identity.id)
    )
    return query.where(within_claim(identity))


def within_claim(identity: Identity) -> ColumnElement[bool]:
    """The same as `Identity.knows`: for a host token with a `rooms` claim exactly these rooms exist. No deleted one
    does."""
    there = Room.deleted_at.is_(None)
    return there if identity.rooms is None else and_(there, Room.name.in_(identity.rooms))


def _refs(transaction: Transaction, query: Select[*tuple[Any, ...]]) -> list[RoomRef]:
    return [
        RoomRef(id_, name, visibility, user_id is not None, owner_id)
        for id_, name, visibility, owner_id, user_id in transaction.execute(query)
    ]


def readable(transaction: Transaction, identity: Identity, name: str) -> RoomRef:
    """The room, if it is there and may be read. Raises NotFound, the same for absent and foreign."""
    if schemas.ROOM_NAME.fullmatch(name) is None:
        raise NotFound
    return _readable(_refs(transaction, _rooms(identity).where(Room.name == name)))


def writable(transaction: Transaction, identity: Identity, name: str) -> RoomRef:
    """The room, if the identity is a member. Raises NotFound or, for a public room, Forbidden."""
    room = readable(transaction, identity, name)
    if not room.member:
        raise Forbidden("Join the room first.")
    return room


def readable_by_id(transaction: Transaction, identity: Identity, room_id: int) -> RoomRef:
    """Like `readable`, for a room that is known by its number."""
    return _readable(_refs(transaction, _rooms(identity).where(Room.id == room_id)))


def _readable(found: list[RoomRef]) -> RoomRef:
    if not found or not found[0].readable:
        raise NotFound
    return found[0]


def plain_id(value: str) -> str:
    """An id from outside that is fit to be looked up: databases differ in what they choke on. Raises NotFound."""
    if not 1 <= len(value) <= ID_MAX_LENGTH or not value.isprintable():
        raise NotFound
    return value


def among(transaction: Transaction, identity: Identity, names: frozenset[str]) -> tuple[RoomRef, ...]:
    """Those of the named rooms that may be read, by name."""
    asked = RoomsAsked(identity.id, identity.rooms, names)
    return among_for(transaction, [asked])[asked]


@dataclass(frozen=True, slots=True)
class RoomsAsked:
    """Rooms asked for by name: by whom, and within which claim (see `Identity.rooms`)."""

    user_id: str
    claim: frozenset[str] | None
    names: frozenset[str]


def memberships_of(transaction: Transaction, user_ids: Sequence[str]) -> dict[str, JoinedRooms]:
    """The rooms that each user belongs to, whatever a token claims."""
    query = (
        select(Membership.user_id, Membership.joined, Room.id, Room.name, Room.visibility, Room.owner_id)
        .join(Room, Room.id == Membership.room_id)
        .where(one_of(transaction, Membership.user_id, user_ids), Room.deleted_at.is_(None))
        .order_by(Room.name)
    )
    rooms: dict[str, list[RoomRef]] = {user_id: [] for user_id in user_ids}
    joinings: dict[str, list[int]] = {user_id: [] for user_id in user_ids}
    for user_id, joining, id_, name, visibility, owner_id in transaction.execute(query):
        rooms[user_id].append(RoomRef(id_, name, visibility, True, owner_id))
        joinings[user_id].append(joining)
    return {user_id: JoinedRooms(rooms[user_id], joinings[user_id]) for user_id in user_ids}


def among_for(transaction: Transaction, asked: Sequence[RoomsAsked]) -> dict[RoomsAsked, tuple[RoomRef, ...]]:
    """For each, those of its named rooms that may be read, by name."""
    names = {name for one in asked for name in one.names if schemas.ROOM_NAME.fullmatch(name)}
    query = select(Room.id, Room.name, Room.visibility, Room.owner_id).where(
        one_of(transaction, Room.name, names), Room.deleted_at.is_(None)
    )
    rooms = {name: (id_, visibility, owner_id) for id_, name, visibility, owner_id in transaction.execute(query)}
    exist = [sorted(rooms.keys() & one.names & (one.names if one.claim is None else one.claim)) for one in asked]
    # For each user only the rooms that this user asks for: not all users times all rooms.
    belong = rows_within(transaction).ask_each(
        BELONG,
        [
            {"user": one.user_id, "rooms": json.dumps([rooms[name][0] for name in found])}
            for one, found in zip(asked, exist, strict=True)
        ],
    )

    def readable(names: list[str], mine: set[int]) -> Iterator[RoomRef]:
        for name in names:
            id_, visibility, owner_id = rooms[name]
            room = RoomRef(id_, name, visibility, id_ in mine, owner_id)
            if room.readable:
                yield room

    return {
        one: tuple(readable(found, {id_ for (id_,) in mine}))
        for one, found, mine in zip(asked, exist, belong, strict=True)
    }


def own(rows: Rows, user_id: str, behind: str, most: int) -> list[RoomRef]:
    """The rooms that a user belongs to, whatever a token claims: by name, the first behind one."""
    return _listed(rows, OWN, True, {"user": user_id, "behind": behind, "most": most})


def public(rows: Rows, user_id: str, behind: str, most: int) -> list[RoomRef]:
    """The public rooms that a user does not belong to, in the same way."""
    return _listed(rows, PUBLIC, False, {"user": user_id, "behind": behind, "most": most})


def _listed(rows: Rows, which: Prepared, member: bool, given: Mapping[str, Any]) -> list[RoomRef]:
    return [
        RoomRef(id_, name, visibility, member, owner_id) for id_, name, visibility, owner_id in rows.ask(which, given)
    ]


def readable_message(tx: Transaction, who: Identity, message_id: str, *, lock: bool = False) -> Message:
    """The message, if its room may be read; with `lock`, locked until the transaction ends. Raises NotFound."""
    query = select(Message).where(Message.id == plain_id(message_id))
    message = tx.scalar(query.with_for_update(of=Message) if lock else query)
    if message is None:
        raise NotFound
    readable_by_id(tx, who, message.room_id)
    return message
