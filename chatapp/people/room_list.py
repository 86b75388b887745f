"""How rooms look to one user, one or a page of them. Reads only."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from typing import NamedTuple
from typing import cast

from sqlalchemy import Table
from sqlalchemy import bindparam
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from chatapp.eventlog import growth
from chatapp.people import access
from chatapp.people import page_place
from chatapp.people.identity import Identity
from chatapp.people.room_ref import RoomRef
from chatapp.people.unread import Read
from chatapp.people.unread import reads
from chatapp.storage import Membership
from chatapp.storage import Message
from chatapp.storage import Prepared
from chatapp.storage import Receipt
from chatapp.storage import Room
from chatapp.storage import Rows
from chatapp.storage import User
from chatapp.storage import Visibility
from chatapp.storage import rows_within
from chatapp.wire import cursor_text
from chatapp.wire import message_document

# Of whoever is no member.
NOT_READ = Read(None, 0)

_ROOMS, _MEMBERSHIPS, _MESSAGES, _USERS, _RECEIPTS = (
    cast(Table, model.__table__) for model in (Room, Membership, Message, User, Receipt)
)
_NEWEST = _MESSAGES.alias("newest")
_NEWEST_ID = (
    select(_NEWEST.c.id)
    .where(_NEWEST.c.room_id == _ROOMS.c.id, _NEWEST.c.log_id.is_not(None))
    .order_by(_NEWEST.c.log_id.desc())
    .limit(1)
    .correlate(_ROOMS)
    .scalar_subquery()
)
_MEMBER_COUNT = select(func.count()).where(_MEMBERSHIPS.c.room_id == _ROOMS.c.id).correlate(_ROOMS).scalar_subquery()
# Of these rooms (a JSON array of their ids): the columns of `_Shown`.
SHOWN = Prepared.among(
    _ROOMS.c.id,
    "rooms",
    lambda among_these: (
        select(
            *(_ROOMS.c.id, _ROOMS.c.title, _MEMBER_COUNT, _MESSAGES.c.id, _MESSAGES.c.local_id, _USERS.c.id),
            *(_USERS.c.name, _MESSAGES.c.body, _MESSAGES.c.data, _MESSAGES.c.created_at, _MESSAGES.c.status),
            *(_MESSAGES.c.log_id, _MESSAGES.c.edited_at, _MESSAGES.c.deleted_at, _MESSAGES.c.growing),
        )
        .select_from(
            _ROOMS.outerjoin(_MESSAGES, _MESSAGES.c.id == _NEWEST_ID).outerjoin(
                _USERS, _USERS.c.id == _MESSAGES.c.sender_id
            )
        )
        .where(among_these)
    ),
)
# A direct room is named after the other user, also one who left it: the receipt of a membership stays.
OTHERS = Prepared.among(
    _RECEIPTS.c.room_id,
    "rooms",
    lambda among_these: (
        select(_RECEIPTS.c.room_id, _USERS.c.name)
        .join_from(_RECEIPTS, _USERS, _USERS.c.id == _RECEIPTS.c.user_id)
        .where(among_these, _USERS.c.id != bindparam("user"))
    ),
)


@dataclass(slots=True)
class RoomView:
    """A room as one user sees it. `last_message` is a document; `online_count` is 0 as the database has it."""

    id: int
    name: str
    title: str | None
    visibility: str
    member: bool
    owner: str | None
    member_count: int
    last_message: dict[str, Any] | None
    read_cursor: int | None
    unread: int
    online_count: int = 0

    def document(self) -> dict[str, Any]:
        """As the wire shows it. By hand: a schema takes half as long as the whole page does."""
        return {
            "name": self.name,
            "title": self.title,
            "visibility": self.visibility,
            "member": self.member,
            "owner": self.owner,
            "memberCount": self.member_count,
            "onlineCount": self.online_count,
            "readCursor": cursor_text(self.read_cursor),
            "unread": self.unread,
            "lastMessage": self.last_message,
        }


class _Shown(NamedTuple):
    """What everybody sees of a room: its title, how many belong to it, and its last message, if there is one."""

    id: int
    title: str | None
    member_count: int
    message_id: str | None
    local_id: str
    sender_id: str
    sender_name: str
    body: str
    data: str | None
    created_at: str | datetime
    status: str
    log_id: int
    edited_at: str | datetime | None
    deleted_at: str | datetime | None
    growing: bool


def page(tx: Transaction, who: Identity, after: str | None, limit: int) -> tuple[Sequence[RoomView], str | None]:
    """Own rooms, then public ones, by name, and where the next page begins. Raises InvalidParameter."""
    last = _decode(after)
    # Sorted by the database, byte by byte in both.
    found = (_all if who.rooms is None else _claimed)(tx, who, last, limit + 1)
    refs = found[:limit]
    behind_page = page_place.written(str(int(not refs[-1].member)), refs[-1].name) if len(found) > limit else None
    return views(tx, who, refs), behind_page


def _all(tx: Transaction, who: Identity, last: tuple[int, str], most: int) -> list[RoomRef]:
    """The rooms behind a place in the list."""
    rows = rows_within(tx)
    own_over, name = last
    refs = [] if own_over else access.own(rows, who.id, name, most)
    if len(refs) < most:
        refs += access.public(rows, who.id, name if own_over else "", most - len(refs))
    return refs


def _claimed(tx: Transaction, who: Identity, last: tuple[int, str], most: int) -> list[RoomRef]:
    """The same for a token that names its rooms: exactly those are there."""
    places = sorted((int(not ref.member), ref.name, ref) for ref in access.among(tx, who, who.rooms or frozenset()))
    return [ref for rank, name, ref in places if (rank, name) > last][:most]


def views(tx: Transaction, who: Identity, refs: list[RoomRef]) -> list[RoomView]:
    """These rooms as the user sees them, in the same order. A few statements, however many rooms."""
    rows = rows_within(tx)
    ids = [ref.id for ref in refs]
    shown = {row.id: row for row in map(_Shown._make, rows.ask(SHOWN, {"rooms": json.dumps(ids)}))}
    added = growth.added(rows, [row.message_id for row in shown.values() if row.growing and row.message_id])
    titles = _direct_titles(rows, who, [ref.id for ref in refs if ref.visibility == Visibility.DIRECT])
    read = reads(rows, who.id, ids)
    return [
        RoomView(
            ref.id,
            ref.name,
            titles.get(ref.id, shown[ref.id].title),
            ref.visibility,
            ref.member,
            ref.owner_id,
            shown[ref.id].member_count,
            _last_message(ref, shown[ref.id], added),
            read.get(ref.id, NOT_READ).place,
            read.get(ref.id, NOT_READ).unread,
        )
        for ref in refs
    ]


def _direct_titles(rows: Rows, who: Identity, ids: Sequence[int]) -> dict[int, str]:
    return dict(rows.ask(OTHERS, {"user": who.id, "rooms": json.dumps(ids)})) if ids else {}


def _last_message(ref: RoomRef, row: _Shown, added: dict[str, str]) -> dict[str, Any] | None:
    if row.message_id is None:
        return None
    return message_document.read(row, row.message_id, ref.name, row.log_id, added)


def _decode(after: str | None) -> tuple[int, str]:
    """Which of the two lists goes on, and behind which name. Raises InvalidParameter."""
    rank, name = page_place.read(after) or ("0", "")
    return int(rank == "1"), name
