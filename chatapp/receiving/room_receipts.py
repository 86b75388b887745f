"""`RoomReceipts`: who has received and read what in a small room, on demand and as it changes."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from typing import cast

from sqlalchemy import Table
from sqlalchemy import bindparam
from sqlalchemy import select

from chatapp.errors import Forbidden
from chatapp.eventlog import LiveLog
from chatapp.eventlog import Place
from chatapp.people import OF_MEMBERSHIP
from chatapp.people import Identity
from chatapp.people import access
from chatapp.runtime import Loop
from chatapp.runtime import Recent
from chatapp.storage import Database
from chatapp.storage import Membership
from chatapp.storage import Prepared
from chatapp.storage import Receipt
from chatapp.storage import Room
from chatapp.storage import Rows
from chatapp.storage import User
from chatapp.storage import rows_within
from chatapp.wire import Event
from chatapp.wire import Signal
from chatapp.wire import cursor_text
from chatapp.wire import event_types

# In larger rooms nobody looks who of all has seen a message.
MEMBERS_MAX = 50
# A room is told at most so often, by all workers together.
TELL_INTERVAL_S = 1.0
# Rooms of one round, and those that wait for one; beyond that the longest waiting are not told.
ROOMS_AT_ONCE = 100
ROOMS_MAX = 5_000
LARGE_REMEMBERED = 5_000
NEWEST_MAX = 20_000
REACHED_MAX = 50_000
LARGE_S = 60.0

_MEMBERSHIPS, _RECEIPTS, _ROOMS, _USERS = (cast(Table, model.__table__) for model in (Membership, Receipt, Room, User))
# One more than a small room has.
MEMBERS = Prepared(
    select(_ROOMS.c.name, _USERS.c.id, _USERS.c.name, _RECEIPTS.c.delivered, _RECEIPTS.c.read)
    .select_from(
        _MEMBERSHIPS.join(_RECEIPTS, OF_MEMBERSHIP)
        .join(_USERS, _USERS.c.id == _MEMBERSHIPS.c.user_id)
        .join(_ROOMS, _ROOMS.c.id == _MEMBERSHIPS.c.room_id)
    )
    .where(_MEMBERSHIPS.c.room_id == bindparam("room"))
    .order_by(_MEMBERSHIPS.c.user_id)
    .limit(MEMBERS_MAX + 1)
)


@dataclass(frozen=True, slots=True)
class MemberReceipt:
    """How far a member's clients have received the room, and the member has read it."""

    room: str
    user_id: str
    user_name: str
    delivered: int | None
    read: int | None

    @property
    def document(self) -> dict[str, Any]:
        return {
            "user": {"id": self.user_id, "name": self.user_name},
            "deliveredCursor": cursor_text(self.delivered or None),
            "readCursor": cursor_text(self.read),
        }


class RoomReceipts:
    def __init__(self, database: Database, live_log: LiveLog) -> None:
        self._database = database
        self._live_log = live_log
        # Room -> the members whose receipts have moved since it was told.
        self._moved: Recent[int, set[str]] = Recent(ROOMS_MAX)
        # Room -> the place of its newest message; and how far a member's receipt had moved when it reached one.
        self._newest: Recent[int, int] = Recent(NEWEST_MAX)
        self._reached: Recent[tuple[int, str], int] = Recent(REACHED_MAX)
        # Rooms that were too large a moment ago, and when: they are not asked for again at each send.
        self._large: Recent[int, float] = Recent(LARGE_REMEMBERED)
        self._loop = Loop("room receipts", self._tell, interval_s=60.0, pause_s=TELL_INTERVAL_S)

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    def take(self, events: Sequence[Event]) -> None:
        """The tail's news: receipts that reach a new message are worth telling."""
        for event in events:
            if event.type == event_types.MESSAGE_CREATED and event.room_id is not None and event.cursor is not None:
                self._newest[event.room_id] = event.cursor.packed

    def read(self, room_id: int, user_id: str) -> None:
        """The member has read on: the others will be told."""
        self._tell_later(room_id, user_id)

    def delivered(self, room_id: int, user_id: str, place: int) -> None:
        """The member's clients have received all up to this place: the others will be told, if that reached a message.

        Of messages from before this worker's start it is not known.
        """
        newest = self._newest.get(room_id)
        if newest is None or place < newest or self._reached.get((room_id, user_id), -1) >= newest:
            return
        self._reached[room_id, user_id] = place
        self._tell_later(room_id, user_id)

    def _tell_later(self, room_id: int, user_id: str) -> None:
        if time.monotonic() - self._large.get(room_id, -LARGE_S) >= LARGE_S:
            self._moved.setdefault(room_id, set()).add(user_id)
            self._loop.wake()

    def recorded(self, places: Sequence[Place]) -> None:
        """Whoever says something has read all before it."""
        for place in places:
            if place.entry.type == event_types.MESSAGE_CREATED:
                self._tell_later(place.entry.room_id, place.entry.body["message"]["sender"]["id"])

    def of_room(self, who: Identity, name: str) -> list[dict[str, Any]]:
        """All of a room, for a member. Raises NotFound, and Forbidden for larger rooms."""
        found = self._database.read(lambda tx: _members(rows_within(tx), [access.writable(tx, who, name).id]))
        if not found[0]:
            raise Forbidden(f"The room has more than {MEMBERS_MAX} members.")
        return [one.document for one in found[0]]

    def _tell(self) -> None:
        rooms = {room_id: self._moved.pop(room_id) for room_id in list(islice(self._moved, ROOMS_AT_ONCE))}
        try:
            self._tell_rooms(rooms)
        except Exception:
            self._keep(rooms)
            raise

    def _tell_rooms(self, rooms: dict[int, set[str]]) -> None:
        if not rooms:
            return
        found = self._database.read(lambda tx: _members(rows_within(tx), list(rooms)))
        for (room_id, moved), members in zip(list(rooms.items()), found, strict=True):
            receipts = [one for one in members if one.user_id in moved]
            if not members:
                self._large[room_id] = time.monotonic()
            if receipts:
                body = {"room": receipts[0].room, "receipts": [one.document for one in receipts]}
                # Whoever is the only one knows it.
                without = receipts[0].user_id if len(receipts) == 1 else None
                signal = Signal("receipt", room_id, body, without=without).packed()
                if not self._live_log.signal_once(signal, f"receipt:{room_id}", TELL_INTERVAL_S):
                    # Another worker has told this room just now.
                    continue
            del rooms[room_id]
        self._keep(rooms)

    def _keep(self, rooms: dict[int, set[str]]) -> None:
        for room_id, moved in rooms.items():
            for user_id in moved:
                self._tell_later(room_id, user_id)


def _members(rows: Rows, room_ids: list[int]) -> list[list[MemberReceipt]]:
    """The receipts of each room's members; none of a larger room."""
    found = rows.ask_each(MEMBERS, [{"room": room_id} for room_id in room_ids])
    return [[MemberReceipt(*row) for row in members] if len(members) <= MEMBERS_MAX else [] for members in found]
