"""One user's joining and leaving, as far as it decides what they are given: `Moves` for rows of the kept log,
`Followed` for events of the window."""

from bisect import bisect_left
from collections.abc import Container
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from chatapp.eventlog import ENDS
from chatapp.people import RoomRef
from chatapp.storage import Visibility
from chatapp.wire import Cursor
from chatapp.wire import Event
from chatapp.wire import event_types

Order = tuple[bool, int]


class Move(Protocol):
    """A row of the kept log, as far as it matters here."""

    @property
    def number(self) -> int: ...
    @property
    def room_id(self) -> int: ...
    @property
    def type(self) -> str: ...
    @property
    def log_id(self) -> int | None: ...


class Moves:
    """What a reader who follows joins and leaves is given of a room: what was said while the user belonged to it.

    What was said while they were away is left to the history. `first` has the type of the user's first move of each
    room behind the reader's position, if there is one; `moves` are those of the part that is read.
    """

    def __init__(self, moves: Iterable[Move], first: Mapping[int, str]) -> None:
        self._first = first
        self._numbers = set()
        self._orders: dict[int, list[Order]] = {}
        self._types: dict[int, list[str]] = {}
        for move in sorted(moves, key=_published_order):
            self._numbers.add(move.number)
            self._orders.setdefault(move.room_id, []).append(_published_order(move))
            self._types.setdefault(move.room_id, []).append(move.type)

    def follows(self, row: Move) -> bool:
        """Whether the user, who belongs to the room now, belonged to it at this row. Their own moves are all given."""
        if row.number in self._numbers:
            return True
        before = bisect_left(self._orders.get(row.room_id, ()), _published_order(row))
        if before:
            return self._types[row.room_id][before - 1] == event_types.MEMBER_JOINED
        first = self._first.get(row.room_id) or next(iter(self._types.get(row.room_id, ())), event_types.MEMBER_LEFT)
        return first in ENDS


def _published_order(row: Move) -> Order:
    return (row.log_id is None, row.number if row.log_id is None else row.log_id)


class Followed:
    """The rooms that a reader follows, on its way over the window. `moves` are the user's own joining and leaving
    behind the reader's position, in order.

    Up to `asked_at` the database was asked who belongs where: it said `belongs`.
    """

    def __init__(
        self,
        rooms: Sequence[RoomRef],
        moves: Iterable[Event],
        *,
        by_name: bool,
        belongs: Container[int],
        asked_at: Cursor,
    ) -> None:
        self._rooms = {room.id: room for room in rooms}
        self._by_name = by_name
        self._belongs = belongs
        self._asked_at = asked_at
        self._last_left = {move.room_id: move.cursor for move in moves if move.type in ENDS}
        self.changed = False

    def __contains__(self, room_id: object) -> bool:
        return room_id in self._rooms

    @property
    def rooms(self) -> tuple[RoomRef, ...]:
        return tuple(self._rooms.values())

    def take(self, move: Event) -> None:
        """Follow the user's own joining and leaving."""
        assert move.room_id is not None
        room = self._rooms.get(move.room_id)
        if room is not None and self._by_name and room.public and move.type != event_types.ROOM_DELETED:
            self._rooms[move.room_id] = replace(room, member=move.type == event_types.MEMBER_JOINED)
            self.changed = True
        elif move.type in ENDS:
            if room is not None:
                del self._rooms[move.room_id]
                self.changed = True
        elif room is None and not self._by_name and not self._left_since(move, move.room_id):
            # Asking the database could fail, with events in hand. All that matters here is that leaving ends it.
            self._rooms[move.room_id] = RoomRef(move.room_id, move.room_name, Visibility.PRIVATE, True, None)
            self.changed = True

    def _left_since(self, joined: Event, room_id: int) -> bool:
        """Whether this joining lies in the past, and the leaving too: nothing of that time is told any more."""
        assert joined.cursor is not None
        if joined.cursor <= self._asked_at and room_id not in self._belongs:
            return True
        return (self._last_left.get(room_id) or Cursor(0)) > joined.cursor
