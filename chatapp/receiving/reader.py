"""`Reader`: one connection's place in the log: reads from its position, from database or window, or waits."""

from chatapp.eventlog import Listener
from chatapp.eventlog import Tail
from chatapp.people import Identity
from chatapp.people import RoomRef
from chatapp.people import access
from chatapp.receiving.catch_up import Asked
from chatapp.receiving.catch_up import CatchUp
from chatapp.receiving.wanted import Wanted
from chatapp.storage import Visibility
from chatapp.wire import Cursor
from chatapp.wire import Event


class Reader:
    """One connection's place in the log. It holds a position, never a queue.

    Thousands of them wait at a time, so they share whatever can be shared.
    """

    __slots__ = (
        "_asked_at",
        "_belongs",
        "_catch_up",
        "_identity",
        "_tail",
        "_wanted",
        "listener",
        "position",
        "reset",
        "rooms",
    )

    def __init__(
        self,
        tail: Tail,
        catch_up: CatchUp,
        identity: Identity,
        wanted: Wanted,
        listener: Listener,
        position: Cursor,
        *,
        reset: bool,
    ) -> None:
        self._tail = tail
        self._catch_up = catch_up
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
        return self.position < self._tail.end

    @property
    def needs_database(self) -> bool:
        """Whether `read` has to ask the database, and so may wait."""
        return self.position < self._tail.window.start

    def read(self, limit: int) -> list[Event]:
        """The next events, at most `limit`, from database or window. Empty does not mean that it is at the end.

        Moves the position to the last of them, or to the end of what was read. Raises Unavailable.
        """
        return self._from_database(limit) if self.needs_database else self._from_window(limit)

    def enter(self, rooms: tuple[RoomRef, ...], asked_at: Cursor) -> None:
        """Follow these rooms from the position on; one joined after it only from its joining on, as a live reader does.

        The database was asked for them when the log had been read up to `asked_at`.
        """
        self._belongs = rooms
        self._asked_at = asked_at
        window = self._tail.window
        if not self._wanted.by_name and window.start <= self.position < window.end:
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
        window = self._tail.window
        found: list[Event] = []
        moves_in = () if self._wanted.by_name else None
        while True:
            rooms = frozenset(self.listener.rooms)
            for event in window.after(self.position, rooms, self._identity.id):
                if len(found) == limit:
                    return found
                assert event.cursor is not None
                self.position = event.cursor
                if not access.may_see(self._identity, rooms, event, moves_in=moves_in):
                    continue
                found.append(event)
                if event.about == self._identity.id and self._moved(event):
                    # The rooms changed at this position: what follows has to be selected anew.
                    break
            else:
                self.position = max(self.position, window.end)
                return found

    def _moved(self, event: Event) -> bool:
        """Follow the user's own joining and leaving. True if that changed the rooms."""
        assert event.room_id is not None
        room = next((room for room in self.rooms if room.id == event.room_id), None)
        if event.type == "member.left":
            if room is None or (self._wanted.by_name and room.public):
                return False
            self._follow(tuple(other for other in self.rooms if other is not room))
            return True
        if self._wanted.by_name or room is not None:
            return False
        return self._joined(event, event.room_id)

    def _joined(self, event: Event, room_id: int) -> bool:
        if self._left_since(event, room_id):
            return False
        # Asking the database could fail, with events in hand. All that matters here is that leaving ends it.
        room = RoomRef(room_id, event.room_name, Visibility.PRIVATE, member=True, owner_id=None)
        self._follow((*self.rooms, room))
        return True

    def _left_since(self, joined: Event, room_id: int) -> bool:
        """Whether this joining lies in the past, and the leaving too: nothing of that time is told any more."""
        assert joined.cursor is not None
        if joined.cursor <= self._asked_at and all(room.id != room_id for room in self._belongs):
            return True
        later = self._tail.window.after(joined.cursor, (), self._identity.id)
        return any(event.type == "member.left" and event.room_id == room_id for event in later)

    def _from_database(self, limit: int) -> list[Event]:
        """One page of what lies before the window."""
        start, asked_at = self._tail.window.start, self._tail.end
        asked = Asked(self._identity, self._wanted, self.position, [room.id for room in self.rooms])
        page = self._catch_up.page(asked, start, limit, lambda: self.listener.closing)
        self.position = max(self.position, page.end)
        self.enter(page.rooms, asked_at)
        return page.events
