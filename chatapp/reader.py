"""`Reader`: one connection's place in the log: reads from its position, from database or window, or waits."""

import time
from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from chatapp import access
from chatapp import render
from chatapp.access import Identity
from chatapp.access import RoomRef
from chatapp.database import Database
from chatapp.event import Cursor
from chatapp.event import Event
from chatapp.hub import Hub
from chatapp.hub import Listener
from chatapp.models import EventRow
from chatapp.models import Visibility
from chatapp.positions import UNRECORDED_MAX
from chatapp.positions import Positions

# Rows that another worker is publishing right now get their cursor recorded within this time.
RECORD_WAIT_S = 1.0
RECORD_POLL_S = 0.02
MEMBER_EVENTS = ("member.joined", "member.left")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rooms a connection asked for: these names, or None for all that the user belongs to.

    `lenient` leaves out those that may not be read, as long as one remains: a browser that comes back
    by itself cannot change its address.
    """

    names: frozenset[str] | None = None
    lenient: bool = False


class Reader:
    """One connection's place in the log. It holds a position, never a queue."""

    def __init__(
        self,
        hub: Hub,
        database: Database,
        positions: Positions,
        identity: Identity,
        wanted: Wanted,
        listener: Listener,
        position: Cursor,
        *,
        reset: bool,
    ) -> None:
        self._hub = hub
        self._database = database
        self._positions = positions
        self._identity = identity
        self._wanted = wanted
        self._listener = listener
        self.position = position
        self.reset = reset
        self.rooms: dict[int, RoomRef] = {}
        # The memberships as the database last had them, and how far the log was read before that.
        self._belongs: frozenset[int] = frozenset()
        self._asked_at = Cursor(0)
        # Called with room and cursor at one's own joining.
        self.on_joined: Callable[[int, Cursor], None] | None = None

    @property
    def closing(self) -> str | None:
        """Why this connection must end now, or None."""
        return self._listener.closing

    def close(self, reason: str) -> None:
        """End this connection."""
        self._listener.close(reason)

    @property
    def behind(self) -> bool:
        """Whether more may lie between the position and what this worker has read."""
        return self.position < self._hub.end

    def next(self, limit: int, seconds: float) -> list[Event]:
        """The next events, at most `limit`, waiting up to `seconds` for the first. Empty: nothing came.

        Moves the position to the last of them, or to the end of what was read. Raises Unavailable.
        """
        deadline_s = time.monotonic() + seconds
        while True:
            self._listener.clear()
            events = self._read(limit)
            if events or self.closing:
                return events
            if self.behind:
                continue  # What was read came from the database; the window's part has not been looked at.
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                return []
            self._listener.wait(left_s)

    def pause(self, seconds: float) -> None:
        """Wait, unless this connection is to end."""
        self._listener.clear()
        if not self.closing:
            self._listener.wait(seconds)

    def enter(self, rooms: list[RoomRef], asked_at: Cursor) -> None:
        """Follow these rooms from the position; one joined behind it only from its joining, like a live one.

        The database was asked for them when the log had been read up to `asked_at`.
        """
        self._belongs = frozenset(room.id for room in rooms)
        self._asked_at = asked_at
        moves: dict[int | None, str] = {}
        if self._wanted.names is None and self.position >= self._hub.window.start:
            for event in self._hub.window.after(self.position, (), self._identity.id):
                moves.setdefault(event.room_id, event.type)
        self._follow([room for room in rooms if moves.get(room.id) != "member.joined"])

    def _follow(self, rooms: list[RoomRef]) -> None:
        self.rooms = {room.id: room for room in rooms}
        self._hub.follow(self._listener, self.rooms)

    def _read(self, limit: int) -> list[Event]:
        if self.position < self._hub.window.start:
            return self._from_database(limit)
        return self._from_window(limit)

    def _from_window(self, limit: int) -> list[Event]:
        window = self._hub.window
        found: list[Event] = []
        while True:
            for event in window.after(self.position, self.rooms, self._identity.id):
                if len(found) == limit:
                    return found
                assert event.cursor is not None
                self.position = event.cursor
                if not self._concerns(event):
                    continue
                found.append(event)
                if event.about == self._identity.id and self._moved(event):
                    # The rooms changed at this position: what follows is another selection.
                    break
            else:
                self.position = max(self.position, window.end)
                return found

    def _concerns(self, event: Event) -> bool:
        """Whether an event that was found is for this connection: not of rooms it did not ask for or may not know."""
        if event.room_id in self.rooms:
            return True
        claim = self._identity.rooms
        return self._wanted.names is None and (claim is None or event.body["room"] in claim)

    def _moved(self, event: Event) -> bool:
        """Follow one's own joining and leaving. True if that changed the rooms."""
        assert event.room_id is not None
        if event.type == "member.left":
            room = self.rooms.get(event.room_id)
            if room is None or (self._wanted.names is not None and room.public):
                return False
            self._follow([other for other in self.rooms.values() if other.id != room.id])
            return True
        if self._wanted.names is not None or event.room_id in self.rooms:
            return False
        return self._joined(event, event.room_id)

    def _joined(self, event: Event, room_id: int) -> bool:
        name = event.body["room"]
        if self._left_since(event, room_id):
            return False
        # Asking the database could fail, with events in hand. All that matters here is that leaving ends it.
        room = RoomRef(room_id, name, Visibility.PRIVATE, member=True, owner_id=None)
        self._follow([*self.rooms.values(), room])
        if self.on_joined is not None:
            self.on_joined(room_id, self.position)
        return True

    def _left_since(self, joined: Event, room_id: int) -> bool:
        """Whether this joining lies in the past, and the leaving too: nothing of that time is told any more."""
        assert joined.cursor is not None
        if joined.cursor <= self._asked_at and room_id not in self._belongs:
            return True
        later = self._hub.window.after(joined.cursor, (), self._identity.id)
        return any(event.type == "member.left" and event.room_id == room_id for event in later)

    def _from_database(self, limit: int) -> list[Event]:
        """One page of what lies before the window.

        The seam needs no clock. What was appended at or before the window's start was committed before
        this looks for rows without a cursor: so each such row is found there, or has its cursor by the
        time of the scan, or stands in the window.
        """
        start, asked_at = self._hub.window.start, self._hub.end
        page = self._page(start, limit)
        if page.unrecorded and not page.full:
            deadline_s = time.monotonic() + RECORD_WAIT_S
            while page.unrecorded and time.monotonic() < deadline_s and not self.closing:
                self._listener.clear()
                self._listener.wait(RECORD_POLL_S)
                if not self._positions.unrecorded() & page.unrecorded:
                    break
            page = self._page(start, limit, pending=page.unrecorded)
        self.position = page.end if page.full else max(self.position, start)
        self.enter(page.rooms, asked_at)
        return page.events

    def _page(self, end: Cursor, limit: int, pending: frozenset[int] = frozenset()) -> "_Page":
        return self._database.read(lambda tx: self._load(tx, end, limit, pending))

    def _load(self, tx: Transaction, end: Cursor, limit: int, pending: frozenset[int]) -> "_Page":
        names = self._wanted.names
        rooms = access.memberships(tx, self._identity) if names is None else access.among(tx, self._identity, names)
        mine = (EventRow.user_id == self._identity.id) & EventRow.type.in_(MEMBER_EVENTS)
        if self._wanted.names is not None:
            # Of rooms asked for by name, the leaving of one that is lost, and no others.
            mine &= EventRow.room_id.in_(list(self.rooms))
        elif self._identity.rooms is not None:
            mine &= EventRow.room.has(access.within_claim(self._identity))
        concerns = or_(EventRow.room_id.in_([room.id for room in rooms]), mine)
        visible = or_(EventRow.target_id.is_(None), EventRow.target_id == self._identity.id)
        query = select(EventRow).where(concerns, visible)
        unrecorded = query.where(EventRow.log_id.is_(None)).order_by(EventRow.number).limit(UNRECORDED_MAX)
        waiting = frozenset(tx.scalars(unrecorded.with_only_columns(EventRow.number)))
        after = EventRow.log_id > self.position.packed
        rows = list(
            tx.scalars(query.where(after, EventRow.log_id <= end.packed).order_by(EventRow.log_id).limit(limit))
        )
        full = len(rows) == limit
        page_end = Cursor(rows[-1].log_id or 0) if rows else end
        if not full:
            rows += tx.scalars(unrecorded.where(EventRow.number.in_(pending))) if pending else []
        if self._wanted.names is None:
            moves = Moves(tx.scalars(select(EventRow).where(mine, or_(after, EventRow.log_id.is_(None)))))
            rows = [row for row in rows if moves.follows(row)]
        return _Page(rooms, render.events(tx, rows), waiting, full, page_end)


class Moves:
    """One user's joining and leaving since a cursor: what was said while they were away is history's to tell."""

    def __init__(self, rows: Iterable[EventRow]) -> None:
        self._by_room: dict[int, list[EventRow]] = {}
        self._numbers: set[int] = set()
        for row in sorted(rows, key=_published_order):
            self._by_room.setdefault(row.room_id, []).append(row)
            self._numbers.add(row.number)

    def follows(self, row: EventRow) -> bool:
        """Whether a reader who follows joins and leaves is given this row of a room that is theirs now."""
        moves = self._by_room.get(row.room_id)
        if moves is None or row.number in self._numbers:
            return True
        before = [move for move in moves if _published_order(move) < _published_order(row)]
        return before[-1].type == "member.joined" if before else moves[0].type == "member.left"


def _published_order(row: EventRow) -> tuple[bool, int]:
    return (row.log_id is None, row.number if row.log_id is None else row.log_id)


@dataclass(frozen=True, slots=True)
class _Page:
    rooms: list[RoomRef]
    events: list[Event]
    unrecorded: frozenset[int]
    full: bool
    end: Cursor
