"""The use cases of rooms: list, make, join, invite, leave, remove, direct."""

import secrets
from collections.abc import Mapping
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session as Transaction

from chatapp.errors import Forbidden
from chatapp.errors import InvalidMessage
from chatapp.errors import NotFound
from chatapp.errors import RoomExists
from chatapp.eventlog import Outbox
from chatapp.people import access
from chatapp.people import deleted_rooms
from chatapp.people import membership
from chatapp.people import room_list
from chatapp.people.deleted_rooms import DeletedRooms
from chatapp.people.identity import Identity
from chatapp.people.known_rooms import KnownRooms
from chatapp.people.members import Member
from chatapp.people.members import Members
from chatapp.people.online import Online
from chatapp.people.room_ref import RoomRef
from chatapp.runtime import utc_now
from chatapp.storage import Database
from chatapp.storage import EventRow
from chatapp.storage import Membership
from chatapp.storage import Room
from chatapp.storage import User
from chatapp.storage import Visibility
from chatapp.storage import ago
from chatapp.storage import insert_into
from chatapp.storage import uuid7
from chatapp.wire import event_types
from chatapp.wire import schemas


class Rooms:
    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        known_rooms: KnownRooms,
        members: Members,
        online: Online,
        deleted: DeletedRooms,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._known_rooms = known_rooms
        self._members = members
        self._online = online
        self._deleted_rooms = deleted

    def list(self, who: Identity, after: str | None, limit: int) -> tuple[Sequence[room_list.RoomView], str | None]:
        """One page of the rooms the user belongs to, then of the public ones, and where the next begins.

        Raises InvalidParameter for an `after` that no page gave.
        """
        page, behind = self._database.read(lambda tx: room_list.page(tx, who, after, limit))
        return self._with_online(page), behind

    def get(self, who: Identity, name: str) -> room_list.RoomView:
        """Raises NotFound."""

        def work(tx: Transaction) -> Sequence[room_list.RoomView]:
            return room_list.views(tx, who, [access.readable(tx, who, name)])

        return self._with_online(self._database.read(work))[0]

    def create(self, who: Identity, name: str, title: str | None, visibility: str) -> room_list.RoomView:
        """Make a room that the user owns. Raises RoomExists, InvalidMessage, Forbidden."""
        if name.startswith(schemas.DIRECT_PREFIX):
            raise InvalidMessage(
                errors={"name": [f"Names that begin with {schemas.DIRECT_PREFIX} are for direct rooms."]}
            )
        _no_claim(who)

        def work(tx: Transaction) -> str:
            room = Room(name=name, title=title, visibility=visibility, owner_id=who.id)
            tx.add(room)
            tx.flush()
            return membership.join(tx, room.id, who.id)

        try:
            joined = self._database.write(work)
        except IntegrityError:
            raise RoomExists from None
        self._published(joined, who.id)
        return self.get(who, name)

    def change(self, who: Identity, name: str, new: Mapping[str, Any]) -> room_list.RoomView:
        """Rename the room (`title`), hand it over (`owner`), or both, as its owner. Raises NotFound, Forbidden, and
        InvalidMessage for a new owner who is no member."""

        def work(tx: Transaction) -> str:
            ref = access.writable(tx, who, name)
            room = _locked(tx, ref)
            if room.owner_id != who.id or room.visibility == Visibility.DIRECT:
                raise Forbidden("Only the owner may change a room.")
            owner_id, title = new.get("owner", room.owner_id), new.get("title", room.title)
            if (owner_id, title) == (room.owner_id, room.title):
                return ""
            # Until this is committed, nobody leaves whom it names.
            member = select(Membership).where(Membership.room_id == room.id, Membership.user_id == owner_id)
            if owner_id != who.id and tx.scalar(member.with_for_update()) is None:
                raise InvalidMessage(errors={"owner": ["Not a member of the room."]})
            room.owner_id, room.title = owner_id, title
            tx.add(EventRow(type=event_types.ROOM_UPDATED, room_id=room.id, uid=(uid := uuid7())))
            tx.flush()
            return uid

        self._published(self._database.write(work))
        return self.get(who, name)

    def delete(self, who: Identity, name: str) -> None:
        """Delete the room, as its owner: from here on it is there for nobody. Raises NotFound, Forbidden."""

        def work(tx: Transaction) -> str:
            ref = access.writable(tx, who, name)
            room = _locked(tx, ref)
            if room.owner_id != who.id or room.visibility == Visibility.DIRECT or room.name == membership.GENERAL:
                raise Forbidden("Only the owner may delete a room.")
            # By the clock by which it is judged how long ago that was.
            room.deleted_at = tx.execute(select(ago())).scalar_one()
            return deleted_rooms.end_memberships(tx, room)

        last = self._database.write(work)
        self._deleted_rooms.wake()
        self._published(last, who.id)

    def add(self, who: Identity, name: str, user_id: str) -> Member:
        """Join a public room, or invite into a private one. Raises NotFound, Forbidden."""

        def work(tx: Transaction) -> tuple[int, str]:
            room = access.readable(tx, who, name)
            if tx.get(User, access.plain_id(user_id)) is None:
                raise NotFound
            _may_add(room, who, user_id)
            return room.id, membership.join(tx, room.id, user_id)

        room_id, joined = self._database.write(work)
        self._published(joined, user_id)
        return self._members.get(room_id, user_id)

    def remove(self, who: Identity, name: str, user_id: str) -> None:
        """Leave, or as owner remove another; no error for one who is no member. Raises NotFound, Forbidden."""

        def work(tx: Transaction) -> str:
            room = access.readable(tx, who, name)
            if user_id != who.id and (room.owner_id != who.id or not room.member):
                raise Forbidden("Only the owner may remove others.")
            return membership.leave(tx, room.id, access.plain_id(user_id))

        self._published(self._database.write(work), user_id)

    def present_direct(self, who: Identity, user_id: str) -> room_list.RoomView | None:
        """The room of these two, if both are in it. Raises Forbidden."""
        pair = _pair(who, user_id)

        def work(tx: Transaction) -> room_list.RoomView | None:
            room = tx.scalar(select(Room).where(Room.direct_pair == pair))
            if room is None:
                return None
            members = tx.scalar(select(func.count()).select_from(Membership).where(Membership.room_id == room.id))
            return room_list.views(tx, who, [access.readable(tx, who, room.name)])[0] if members == 2 else None

        found = self._database.read(work)
        return None if found is None else self._with_online([found])[0]

    def direct(self, who: Identity, user_id: str) -> room_list.RoomView:
        """The room of these two, made if need be. Raises NotFound, Forbidden."""
        pair = _pair(who, user_id)

        def work(tx: Transaction) -> tuple[str, str]:
            if tx.get(User, access.plain_id(user_id)) is None:
                raise NotFound
            name = schemas.DIRECT_PREFIX + secrets.token_hex(16)
            tx.execute(
                insert_into(tx, Room)
                .values(name=name, visibility=Visibility.DIRECT, direct_pair=pair, created_at=utc_now())
                .on_conflict_do_nothing(index_elements=["direct_pair"])
            )
            room = tx.scalars(select(Room).where(Room.direct_pair == pair)).one()
            joined = [membership.join(tx, room.id, one) for one in (who.id, user_id)]
            return room.name, joined[1] or joined[0]

        name, last = self._database.write(work)
        self._published(last, who.id, user_id)
        return self.get(who, name)

    def _with_online(self, views: Sequence[room_list.RoomView]) -> Sequence[room_list.RoomView]:
        counts = self._online.counts([view.id for view in views])
        for view in views:
            view.online_count = counts[view.id]
        return views

    def _published(self, uid: str, *user_ids: str) -> None:
        """Wait a moment for the change to be in the log, so that what follows the answer comes after it. `uid` is its
        last row, "" if nothing was changed."""
        for user_id in user_ids:
            self._known_rooms.forget(user_id)
        if uid:
            self._outbox.wake()
            self._outbox.cursor_of(uid)


def _locked(tx: Transaction, ref: RoomRef) -> Room:
    """The room, which nobody else changes or deletes meanwhile. Raises NotFound if it was deleted just now.

    Whoever writes into it is not kept waiting: they may hold what is needed here.
    """
    room = tx.scalars(select(Room).where(Room.id == ref.id).with_for_update(key_share=True)).one()
    if room.deleted_at is not None:
        raise NotFound
    return room


def _pair(who: Identity, user_id: str) -> str:
    """What a direct room is found by. Raises Forbidden."""
    if user_id == who.id:
        raise Forbidden("A direct room takes another user.")
    _no_claim(who)
    return sha256("\n".join(sorted((who.id, user_id))).encode("utf-8", "surrogatepass")).hexdigest()


def _no_claim(who: Identity) -> None:
    if who.rooms is not None:
        raise Forbidden("The rooms of this token are given by its host.")


def _may_add(room: RoomRef, who: Identity, user_id: str) -> None:
    if room.visibility == Visibility.DIRECT and not (room.member and user_id == who.id):
        raise Forbidden("Nobody can be added to a direct room.")
    if room.public and user_id != who.id:
        raise Forbidden("Everyone joins a public room by themselves.")
