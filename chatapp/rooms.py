"""The use cases of rooms: list, make, join, invite, leave, remove, direct."""

import base64
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session as Transaction
from sqlalchemy.orm import aliased

from chatapp import access
from chatapp.access import Identity
from chatapp.access import RoomRef
from chatapp.database import Database
from chatapp.errors import Forbidden
from chatapp.errors import InvalidMessage
from chatapp.errors import InvalidParameter
from chatapp.errors import NotFound
from chatapp.errors import RoomExists
from chatapp.event import utc_now
from chatapp.models import EventRow
from chatapp.models import Membership
from chatapp.models import Message
from chatapp.models import Room
from chatapp.models import User
from chatapp.models import Visibility
from chatapp.outbox import Outbox
from chatapp.schemas import DIRECT_PREFIX

log = logging.getLogger(__name__)

GENERAL = "general"
GUEST_PREFIX = "u_"


@dataclass(frozen=True, slots=True)
class RoomView:
    """A room as one user sees it."""

    name: str
    title: str | None
    visibility: str
    member: bool
    owner: str | None
    member_count: int
    last_message: Message | None


@dataclass(frozen=True, slots=True)
class Member:
    id: str
    name: str
    joined_at: datetime


class Rooms:
    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox

    def list(self, who: Identity, after: str | None, limit: int) -> tuple[Sequence[RoomView], str | None]:
        """One page of the rooms the user belongs to, then of the public ones, and where the next begins.

        Raises InvalidParameter for an `after` that no page gave.
        """
        return self._database.read(lambda tx: _page(tx, who, _decode(after), limit))

    def get(self, who: Identity, name: str) -> RoomView:
        """Raises NotFound."""

        def work(tx: Transaction) -> RoomView:
            ref = access.readable(tx, who, name)
            return _views(tx, who, [ref])[0]

        return self._database.read(work)

    def create(self, who: Identity, name: str, title: str | None, visibility: str) -> RoomView:
        """Make a room that the user owns. Raises RoomExists, InvalidMessage, Forbidden."""
        if name.startswith(DIRECT_PREFIX):
            raise InvalidMessage(errors={"name": [f"Names that begin with {DIRECT_PREFIX} are for direct rooms."]})
        _no_claim(who)

        def work(tx: Transaction) -> int:
            room = Room(name=name, title=title, visibility=visibility, owner_id=who.id)
            tx.add(room)
            tx.flush()
            return join(tx, room.id, who.id)

        try:
            number = self._database.write(work)
        except IntegrityError:
            raise RoomExists from None
        self._published(number)
        return self.get(who, name)

    def members(self, who: Identity, name: str) -> Sequence[Member]:
        """All members, by name. Raises NotFound."""

        def work(tx: Transaction) -> Sequence[Member]:
            room = access.readable(tx, who, name)
            query = (
                select(User.id, User.name, Membership.joined_at)
                .join(Membership, Membership.user_id == User.id)
                .where(Membership.room_id == room.id)
                .order_by(User.name, User.id)
            )
            return [Member(*row) for row in tx.execute(query)]

        return self._database.read(work)

    def add(self, who: Identity, name: str, user_id: str) -> Member:
        """Join a public room, or invite into a private one. Raises NotFound, Forbidden."""

        def work(tx: Transaction) -> tuple[Member, int]:
            room = access.readable(tx, who, name)
            user = tx.get(User, access.plain_id(user_id))
            if user is None:
                raise NotFound
            _may_add(room, who, user_id)
            number = join(tx, room.id, user_id)
            joined_at = tx.scalar(
                select(Membership.joined_at).where(Membership.room_id == room.id, Membership.user_id == user_id)
            )
            assert joined_at is not None
            return Member(user.id, user.name, joined_at), number

        member, number = self._database.write(work)
        self._published(number)
        return member

    def remove(self, who: Identity, name: str, user_id: str) -> None:
        """Leave, or as owner remove another; also who is no member is gone then. Raises NotFound, Forbidden."""

        def work(tx: Transaction) -> int:
            room = access.readable(tx, who, name)
            if user_id != who.id and (room.owner_id != who.id or not room.member):
                raise Forbidden("Only the owner may remove others.")
            return leave(tx, room.id, access.plain_id(user_id))

        self._published(self._database.write(work))

    def direct(self, who: Identity, user_id: str) -> RoomView:
        """The room of these two, made if need be. Raises NotFound, Forbidden, InvalidParameter."""
        if user_id == who.id:
            raise InvalidParameter("A direct room takes another user.")
        _no_claim(who)
        pair = sha256("\n".join(sorted((who.id, user_id))).encode()).hexdigest()

        def work(tx: Transaction) -> tuple[str, int]:
            if tx.get(User, access.plain_id(user_id)) is None:
                raise NotFound
            name = DIRECT_PREFIX + secrets.token_hex(16)
            tx.execute(
                _insert(tx, Room)
                .values(name=name, visibility=Visibility.DIRECT, direct_pair=pair, created_at=utc_now())
                .on_conflict_do_nothing(index_elements=["direct_pair"])
            )
            room = tx.scalars(select(Room).where(Room.direct_pair == pair)).one()
            return room.name, max(join(tx, room.id, one) for one in (who.id, user_id))

        name, number = self._database.write(work)
        self._published(number)
        return self.get(who, name)

    def _published(self, number: int) -> None:
        """Wait a moment for the change to be in the log, so that what follows the answer comes after it."""
        if number:
            self._outbox.wake()
            self._outbox.cursor_of(number)


def join(tx: Transaction, room_id: int, user_id: str) -> int:
    """Make the user a member. Returns the number of the `member.joined` row, 0 for who was one before."""
    joined = tx.scalar(
        _insert(tx, Membership)
        .values(room_id=room_id, user_id=user_id, joined_at=utc_now())
        .on_conflict_do_nothing()
        .returning(Membership.user_id)
    )
    return _announce(tx, "member.joined", room_id, user_id) if joined is not None else 0


def leave(tx: Transaction, room_id: int, user_id: str) -> int:
    """End the membership. Returns the number of the `member.left` row, 0 for who was none."""
    left = tx.scalar(
        delete(Membership)
        .where(Membership.room_id == room_id, Membership.user_id == user_id)
        .returning(Membership.user_id)
    )
    return _announce(tx, "member.left", room_id, user_id) if left is not None else 0


def claim(tx: Transaction, user_id: str, names: frozenset[str]) -> None:
    """Make the memberships those of a host token: rooms it names are made and joined, others left."""
    mine = dict(
        tx.execute(
            select(Room.name, Room.id)
            .join(Membership, Membership.room_id == Room.id)
            .where(Membership.user_id == user_id, Room.visibility != Visibility.DIRECT)
        )
        .tuples()
        .all()
    )
    for name in sorted(mine.keys() - names):
        leave(tx, mine[name], user_id)
    for name in sorted(names - mine.keys()):
        if name.startswith(DIRECT_PREFIX):
            continue  # Found by its pair, never by name; nobody can be added.
        tx.execute(
            _insert(tx, Room)
            .values(name=name, visibility=Visibility.PRIVATE, created_at=utc_now())
            .on_conflict_do_nothing(index_elements=["name"])
        )
        room = tx.scalars(select(Room).where(Room.name == name)).one()
        if room.owner_id is not None and room.owner_id.startswith(GUEST_PREFIX):
            # What the host's people say is not for whoever took the name first.
            log.warning("a host's token names the room %s, which is a guest's: left out", name)
            continue
        join(tx, room.id, user_id)


def _announce(tx: Transaction, type_: str, room_id: int, user_id: str) -> int:
    # After the membership itself, whose row lock puts joining and leaving of one user in one order.
    row = EventRow(type=type_, room_id=room_id, user_id=user_id)
    tx.add(row)
    tx.flush()
    return row.number


def _insert(tx: Transaction, model: Any) -> Any:
    return sqlite_insert(model) if tx.get_bind().dialect.name == "sqlite" else postgresql_insert(model)


def _no_claim(who: Identity) -> None:
    if who.rooms is not None:
        raise Forbidden("The rooms of this token are given by its host.")


def _may_add(room: RoomRef, who: Identity, user_id: str) -> None:
    if room.visibility == Visibility.DIRECT and not (room.member and user_id == who.id):
        raise Forbidden("Nobody can be added to a direct room.")
    if room.public and user_id != who.id:
        raise Forbidden("Everyone joins a public room by themselves.")


def _page(
    tx: Transaction, who: Identity, after: tuple[int, str] | None, limit: int
) -> tuple[Sequence[RoomView], str | None]:
    refs = [(0, ref) for ref in access.memberships(tx, who)]
    refs += [(1, ref) for ref in access.public(tx, who) if not ref.member]
    # Sorted here: databases differ in how they order a hyphen.
    refs.sort(key=lambda pair: (pair[0], pair[1].name))
    rest = [(rank, ref) for rank, ref in refs if after is None or (rank, ref.name) > after]
    page = rest[:limit]
    more = len(rest) > limit
    return _views(tx, who, [ref for _, ref in page]), _encode(page[-1][0], page[-1][1].name) if more else None


def _views(tx: Transaction, who: Identity, refs: list[RoomRef]) -> list[RoomView]:
    ids = [ref.id for ref in refs]
    counts = dict(
        tx.execute(
            select(Membership.room_id, func.count()).where(Membership.room_id.in_(ids)).group_by(Membership.room_id)
        )
        .tuples()
        .all()
    )
    titles = dict(tx.execute(select(Room.id, Room.title).where(Room.id.in_(ids))).tuples().all())
    titles.update(_direct_titles(tx, who, [ref.id for ref in refs if ref.visibility == Visibility.DIRECT]))
    newest = _last_messages(tx, ids)
    return [
        RoomView(
            ref.name,
            titles.get(ref.id),
            ref.visibility,
            ref.member,
            ref.owner_id,
            counts.get(ref.id, 0),
            newest.get(ref.id),
        )
        for ref in refs
    ]


def _direct_titles(tx: Transaction, who: Identity, ids: Sequence[int]) -> dict[int, str]:
    """A direct room is called after the other one."""
    query = (
        select(Membership.room_id, User.name)
        .join(User, User.id == Membership.user_id)
        .where(Membership.room_id.in_(ids), User.id != who.id)
    )
    return dict(tx.execute(query).tuples().all())


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
    query = select(Message).join(Room, Room.id == Message.room_id).where(Room.id.in_(ids), Message.id == newest_id)
    return {message.room_id: message for message in tx.scalars(query)}


def _encode(rank: int, name: str) -> str:
    return base64.urlsafe_b64encode(f"{rank}{name}".encode()).decode().rstrip("=")


def _decode(after: str | None) -> tuple[int, str] | None:
    if after is None:
        return None
    try:
        plain = base64.urlsafe_b64decode(after.encode() + b"=" * (-len(after) % 4)).decode()
        return int(plain[:1]), plain[1:]
    except ValueError:
        raise InvalidParameter("after: take it from the page before.") from None
