"""`RoomImport`: what was said elsewhere comes into a room where nobody has spoken, at the places of its own time.

Nobody follows the room yet, so nobody has to be told: no events are written, and no cursor passes over anything.
Whoever joins later begins at their joining, and has all of it in the history.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from chatapp.keeping import imported
from chatapp.keeping.pace import PAUSE_S
from chatapp.keeping.said import Refused
from chatapp.keeping.said import Said
from chatapp.runtime import now_ms
from chatapp.runtime import utc_now
from chatapp.storage import Database
from chatapp.storage import EventRow
from chatapp.storage import Membership
from chatapp.storage import Message
from chatapp.storage import MessageStatus
from chatapp.storage import Room
from chatapp.storage import User
from chatapp.storage import Visibility
from chatapp.storage import insert_into
from chatapp.storage import name_order
from chatapp.storage import one_of
from chatapp.storage import uuid7
from chatapp.wire import Content
from chatapp.wire import Cursor
from chatapp.wire import content
from chatapp.wire import rules
from chatapp.wire import schemas

AT_ONCE = 300
# Past those of one earlier batch; a millisecond has a million places.
JUMP = 1_000
ELSEWHERE = "import into a new one, with --room"


class ImportRefused(Exception):
    """Nothing more can be imported here. The text is one line that says why."""


@dataclass(slots=True)
class _Row:
    sender_id: str
    sender_name: str
    local_id: str
    body: str
    place: int
    said: Said


class RoomImport:
    """Takes messages in the order in which they are to stand. `kind` is where they come from."""

    def __init__(self, database: Database, kind: str, room: str, title: str | None = None) -> None:
        if schemas.ROOM_NAME.fullmatch(room) is None or room.startswith(schemas.DIRECT_PREFIX):
            raise ImportRefused(f"no room can be called {room!r}: give it a name with --room")
        self._database = database
        self._kind = kind
        self._room = room
        self._title = None if title is None else imported.shown_name(title)
        self._waiting: list[_Row] = []
        self._place = 0
        self.new = self.known = 0

    def take(self, said: Said) -> Refused | None:
        """One message, or why it is none. Raises ImportRefused, Unavailable."""
        fault = self._fault(said)
        if fault is not None:
            return Refused(said.line, fault)
        most = rules.GROWN_MAX_CODE_POINTS if self._kind == imported.FROM_HERE else rules.BODY_MAX_CODE_POINTS
        for number, body in enumerate(imported.parts(said, most)):
            self._place = max(self._place + 1, Cursor.at(said.at_ms))
            self._waiting.append(
                _Row(
                    imported.person_id(self._kind, said.sender),
                    imported.shown_name(said.name),
                    imported.local_id(self._kind, self._room, said.key, number),
                    body,
                    self._place,
                    said,
                )
            )
        if len(self._waiting) >= AT_ONCE:
            self.flush()
        return None

    def flush(self) -> None:
        """Store what was taken. The same again changes nothing."""
        for first in range(0, len(self._waiting), AT_ONCE):
            rows = self._waiting[first : first + AT_ONCE]
            new = self._database.write(partial(_store, name=self._room, title=self._title, rows=rows))
            self.new += new
            self.known += len(rows) - new
            if self._database.dialect == "sqlite":
                # It has one writer: the service goes on meanwhile.
                time.sleep(PAUSE_S)
        self._waiting.clear()

    def finish(self, *, public: bool) -> None:
        """Everything is there: let people in. Raises ImportRefused, Unavailable."""
        self.flush()
        if public:
            self._database.write(partial(_open, name=self._room))

    def _fault(self, said: Said) -> str | None:
        moments = (said.at_ms, said.edited_ms, said.deleted_ms)
        if not all(ms is None or 0 < ms <= now_ms() for ms in moments):
            return "its time lies in the future, or before 1970"
        if said.data is not None and (fault := content.fault(said.data)) is not None:
            return f"data: {fault}"
        if next(imported.parts(said, rules.BODY_MAX_CODE_POINTS), None) is None:
            return "it says nothing"
        return None


def _store(tx: Transaction, name: str, title: str | None, rows: Sequence[_Row]) -> int:
    """Those that are not there yet. Returns how many."""
    room = _room(tx, name, title)
    keys = {(row.sender_id, row.local_id) for row in rows}
    there = select(Message.sender_id, Message.local_id).where(
        one_of(tx, Message.sender_id, {row.sender_id for row in rows}),
        one_of(tx, Message.local_id, {row.local_id for row in rows}),
    )
    keys -= {(sender_id, local_id) for sender_id, local_id in tx.execute(there)}
    new = {(row.sender_id, row.local_id): row for row in rows if (row.sender_id, row.local_id) in keys}
    if new:
        if not _refuse_if_used(tx, room) and room.visibility == Visibility.PUBLIC:
            raise ImportRefused(f"the room {name} is there, and no import has filled it: {ELSEWHERE}")
        if room.visibility == Visibility.PUBLIC and any(row.said.private for row in new.values()):
            raise ImportRefused(f"the room {name} is public, and the channel was not: {ELSEWHERE}")
        _people(tx, list(new.values()))
        _places(tx, room.id, list(new.values()))
        tx.execute(insert_into(tx, Message).on_conflict_do_nothing(), [_row(room, row) for row in new.values()])
    return len(new)


def _room(tx: Transaction, name: str, title: str | None) -> Room:
    """The room, locked, so that nobody joins meanwhile; made if it is not there, and closed until all is in it."""
    made = {"name": name, "title": title, "visibility": Visibility.PRIVATE, "created_at": utc_now()}
    tx.execute(insert_into(tx, Room).values(**made).on_conflict_do_nothing(index_elements=["name"]))
    return tx.scalars(select(Room).where(Room.name == name).with_for_update()).one()


def _refuse_if_used(tx: Transaction, room: Room) -> bool:
    """Raises ImportRefused unless nobody but imports has to do with the room. Returns whether one has filled it."""
    if room.deleted_at is not None:
        raise ImportRefused(f"the room {room.name} is being deleted: run it again in a moment")
    if tx.scalar(select(Membership.user_id).where(Membership.room_id == room.id).limit(1)) is not None:
        raise ImportRefused(f"somebody belongs to the room {room.name}: {ELSEWHERE}")
    if room.owner_id is not None:
        raise ImportRefused(f"somebody owns the room {room.name}: {ELSEWHERE}")
    # Whatever anybody said here stands behind what was imported until then, or waits for its place; and no import goes
    # on once somebody has: to look at the newest is enough.
    said = select(Message.sender_id).where(Message.room_id == room.id, Message.log_id.is_not(None))
    newest = tx.scalar(said.order_by(Message.log_id.desc()).limit(1))
    waiting = select(EventRow.number).where(EventRow.room_id == room.id, EventRow.log_id.is_(None)).limit(1)
    spoken = newest is not None and not newest.startswith(imported.PERSON_PREFIX)
    if spoken or tx.scalar(waiting) is not None:
        raise ImportRefused(f"somebody has spoken in the room {room.name}: {ELSEWHERE}")
    return newest is not None


def _people(tx: Transaction, rows: Sequence[_Row]) -> None:
    """Whoever is known keeps the name."""
    names = {row.sender_id: row.sender_name for row in reversed(rows)}
    people = [
        {"id": id_, "name": name, "name_order": name_order(name), "created_at": utc_now()}
        for id_, name in sorted(names.items())
    ]
    tx.execute(insert_into(tx, User).on_conflict_do_nothing(index_elements=["id"]), people)


def _places(tx: Transaction, room_id: int, rows: Sequence[_Row]) -> None:
    """No two messages of a room stand at one place: after an earlier import, a place may be taken."""
    while True:
        wanted = [row.place for row in rows]
        query = select(Message.log_id).where(
            Message.room_id == room_id, Message.log_id.is_not(None), one_of(tx, Message.log_id, wanted)
        )
        taken = set(tx.scalars(query))
        if not taken:
            return
        last = 0
        for row in rows:
            row.place = last = max(row.place + JUMP * (row.place in taken), last + 1)


def _row(room: Room, row: _Row) -> dict[str, Any]:
    said = row.said
    return {
        "id": uuid7(),
        "room_id": room.id,
        "sender_id": row.sender_id,
        "local_id": row.local_id,
        "content_hash": Content(row.body, said.data).hash_in(room.name),
        "body": row.body,
        "data": content.written(said.data),
        # Somebody has read it where it was said.
        "status": MessageStatus.DELIVERED,
        "growing": False,
        "created_at": _moment(said.at_ms),
        "edited_at": _moment(said.edited_ms),
        "deleted_at": _moment(said.deleted_ms),
        "log_id": row.place,
    }


def _moment(ms: int | None) -> datetime | None:
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC)


def _open(tx: Transaction, name: str) -> None:
    """Raises ImportRefused if others have used the room since: what was said there is not for everybody."""
    room = tx.scalar(select(Room).where(Room.name == name).with_for_update())
    if room is not None and room.visibility == Visibility.PRIVATE and _refuse_if_used(tx, room):
        room.visibility = Visibility.PUBLIC
        tx.flush()
