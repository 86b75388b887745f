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
from chatapp.listener import Listener
from chatapp.listener import Waiter
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


@dataclass(slots=True)
class Sources:
    """What every reader of a worker reads from."""

    hub: Hub
    database: Database
    positions: Positions
    # Called at a user's own joining, with user, room and the cursor of the joining.
    on_joined: Callable[[str, int, Cursor], None]


class Reader:
    """One connection's place in the log. It holds a position, never a queue.

    Thousands of them wait at a time: what can be shared between them is.
    """

    __slots__ = ("_asked_at", "_belongs", "_identity", "_sources", "_wanted", "listener", "position", "reset", "rooms")

    def __init__(
        self,
        sources: Sources,
        identity: Identity,
        wanted: Wanted,
        listener: Listener,
        position: Cursor,
        *,
        reset: bool,
    ) -> None:
        self._sources = sources
        self._identity = identity
        self._wanted = wanted
        self.listener = listener
        self.position = position
        self.reset = reset
        self.rooms: tuple[RoomRef, ...] = ()
        # The memberships as the database last had them, and how far the log was read before that.
        self._belongs: tuple[RoomRef, ...] = ()
        self._asked_at = Cursor(0)

    @property
    def behind(self) -> bool:
        """Whether more may lie between the position and what this worker has read."""
        return self.position < self._sources.hub.end

    @property
    def needs_database(self) -> bool:
        """Whether `read` has to ask the database, and so may wait."""
        return self.position < self._sources.hub.window.start

    def read(self, limit: int) -> list[Event]:
        """The next events, at most `limit`, from database or window. Empty does not mean that it is at the end.

        Moves the position to the last of them, or to the end of what was read. Raises Unavailable.
        """
        return self._from_database(limit) if self.needs_database else self._from_window(limit)

    def next(self, waiter: Waiter, limit: int, seconds: float) -> list[Event]:
        """Like `read`, but waits up to `seconds` for the first event. Empty: nothing came."""
        deadline_s = time.monotonic() + seconds
        while True:
            waiter.clear()
            events = self.read(limit) if self.behind else []
            if events or waiter.closing:
                return events
            if self.behind:
                continue  # What was read came from the database; the window's part has not been looked at.
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                return []
            waiter.wait(left_s)

    def enter(self, rooms: tuple[RoomRef, ...], asked_at: Cursor) -> None:
        """Follow these rooms from the position; one joined behind it only from its joining, like a live one.

        The database was asked for them when the log had been read up to `asked_at`.
        """
        self._belongs = rooms
        self._asked_at = asked_at
        window = self._sources.hub.window
        if self._wanted.names is None and window.start <= self.position < window.end:
            moves: dict[int | None, str] = {}
            for event in window.after(self.position, (), self._identity.id):
                moves.setdefault(event.room_id, event.type)
            if "member.joined" in moves.values():
                rooms = tuple(room for room in rooms if moves.get(room.id) != "member.joined")
        self._follow(rooms)

    def _follow(self, rooms: tuple[RoomRef, ...]) -> None:
        self.rooms = rooms
        self.listener.follow(tuple(room.id for room in rooms))

    def _from_window(self, limit: int) -> list[Event]:
        window = self._sources.hub.window
        found: list[Event] = []
        while True:
            rooms = frozenset(self.listener.rooms)
            for event in window.after(self.position, rooms, self._identity.id):
                if len(found) == limit:
                    return found
                assert event.cursor is not None
                self.position = event.cursor
                if event.room_id not in rooms and not self._concerns(event):
                    continue
                found.append(event)
                if event.about == self._identity.id and self._moved(event):
                    # The rooms changed at this position: what follows is another selection.
                    break
            else:
                self.position = max(self.position, window.end)
                return found

    def _concerns(self, event: Event) -> bool:
        """Whether one's own joining or leaving of another room is for this connection: not of rooms it did not
        ask for or may not know."""
        claim = self._identity.rooms
        return self._wanted.names is None and (claim is None or event.body["room"] in claim)

    def _moved(self, event: Event) -> bool:
        """Follow one's own joining and leaving. True if that changed the rooms."""
        assert event.room_id is not None
        room = next((room for room in self.rooms if room.id == event.room_id), None)
        if event.type == "member.left":
            if room is None or (self._wanted.names is not None and room.public):
                return False
            self._follow(tuple(other for other in self.rooms if other is not room))
            return True
        if self._wanted.names is not None or room is not None:
            return False
        return self._joined(event, event.room_id)

    def _joined(self, event: Event, room_id: int) -> bool:
        name = event.body["room"]
        if self._left_since(event, room_id):
            return False
        # Asking the database could fail, with events in hand. All that matters here is that leaving ends it.
        room = RoomRef(room_id, name, Visibility.PRIVATE, member=True, owner_id=None)
        self._follow((*self.rooms, room))
        self._sources.on_joined(self._identity.id, room_id, self.position)
        return True

    def _left_since(self, joined: Event, room_id: int) -> bool:
        """Whether this joining lies in the past, and the leaving too: nothing of that time is told any more."""
        assert joined.cursor is not None
        if joined.cursor <= self._asked_at and all(room.id != room_id for room in self._belongs):
            return True
        later = self._sources.hub.window.after(joined.cursor, (), self._identity.id)
        return any(event.type == "member.left" and event.room_id == room_id for event in later)

    def _from_database(self, limit: int) -> list[Event]:
        """One page of what lies before the window.

        The seam needs no clock. What was appended at or before the window's start was committed before
        this looks for rows without a cursor: so each such row is found there, or has its cursor by the
        time of the scan, or stands in the window.
        """
        start, asked_at = self._sources.hub.window.start, self._sources.hub.end
        page = self._page(start, limit)
        if page.unrecorded and not page.full:
            deadline_s = time.monotonic() + RECORD_WAIT_S
            while page.unrecorded and time.monotonic() < deadline_s and not self.listener.closing:
                time.sleep(RECORD_POLL_S)
                if not self._sources.positions.unrecorded() & page.unrecorded:
                    break
            page = self._page(start, limit, pending=page.unrecorded)
        self.position = page.end if page.full else max(self.position, start)
        self.enter(page.rooms, asked_at)
        return page.events

    def _page(self, end: Cursor, limit: int, pending: frozenset[int] = frozenset()) -> "_Page":
        return self._sources.database.read(lambda tx: self._load(tx, end, limit, pending))

    def _load(self, tx: Transaction, end: Cursor, limit: int, pending: frozenset[int]) -> "_Page":
        names = self._wanted.names
        rooms = access.memberships(tx, self._identity) if names is None else access.among(tx, self._identity, names)
        mine = (EventRow.user_id == self._identity.id) & EventRow.type.in_(MEMBER_EVENTS)
        if self._wanted.names is not None:
            # Of rooms asked for by name, the leaving of one that is lost, and no others.
            mine &= EventRow.room_id.in_([room.id for room in self.rooms])
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
        return _Page(tuple(rooms), render.events(tx, rows), waiting, full, page_end)


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
    rooms: tuple[RoomRef, ...]
    events: list[Event]
    unrecorded: frozenset[int]
    full: bool
    end: Cursor
