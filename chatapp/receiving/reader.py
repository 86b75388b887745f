"""`Reader`: one connection's place in the log: reads from its position, from database or window, or waits."""

from functools import lru_cache
from typing import NamedTuple

from chatapp import metrics
from chatapp.eventlog import NO_ROOMS
from chatapp.eventlog import Hub
from chatapp.eventlog import Listener
from chatapp.eventlog import Tail
from chatapp.people import Identity
from chatapp.people import RoomRef
from chatapp.people import access
from chatapp.receiving.catch_up import Asked
from chatapp.receiving.catch_up import CatchUp
from chatapp.receiving.joins_and_leaves import Followed
from chatapp.receiving.wanted import Wanted
from chatapp.wire import Cursor
from chatapp.wire import Event
from chatapp.wire import event_types

# Most connections follow few rooms, and many the same: what they keep of those is one object for all.
FEW = 8
# Three kilobytes each at most.
SHARED_MAX = 1_000


class _Ids(NamedTuple):
    """Of rooms, in their order; as a set; and of those that the user only visits."""

    in_order: tuple[int, ...]
    all: frozenset[int]
    visited: frozenset[int]

    @classmethod
    def of(cls, rooms: tuple[RoomRef, ...]) -> "_Ids":
        ids = tuple(room.id for room in rooms)
        return cls(ids, frozenset(ids), frozenset(room.id for room in rooms if not room.member) or NO_ROOMS)


_shared = lru_cache(SHARED_MAX)(_Ids.of)


def _ids(rooms: tuple[RoomRef, ...]) -> _Ids:
    return _shared(rooms) if len(rooms) <= FEW else _Ids.of(rooms)


class Reader:
    """One connection's place in the log. It holds a position, never a queue.

    Thousands of them wait at a time, so they share whatever can be shared.
    """

    __slots__ = (
        "_asked_at",
        "_belongs",
        "_catch_up",
        "_hub",
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
        hub: Hub,
        tail: Tail,
        catch_up: CatchUp,
        identity: Identity,
        wanted: Wanted,
        listener: Listener,
        position: Cursor,
        *,
        reset: bool,
    ) -> None:
        self._hub = hub
        self._tail = tail
        self._catch_up = catch_up
        self._identity = identity
        self._wanted = wanted
        self.listener = listener
        self.position = position
        self.reset = reset
        self.rooms: tuple[RoomRef, ...] = ()
        # The rooms that the database last gave, and how far the log was read before that.
        self._belongs = NO_ROOMS
        self._asked_at = Cursor(0)

    @property
    def behind(self) -> bool:
        """Whether more may lie between the position and what this worker has read."""
        return self.position < self._tail.end

    @property
    def needs_database(self) -> bool:
        """Whether `read` has to ask the database, and so may wait."""
        return self.position < self._tail.window.start

    def read(self, limit: int, most_bytes: int) -> list[Event]:
        """The next events, at most `limit` and no more once they have `most_bytes`, from database or window. Empty does
        not mean that it is at the end.

        Moves the position to the last of them, or to the end of what was read. Raises Unavailable.
        """
        if self.needs_database:
            found = self._from_database(limit, most_bytes)
            metrics.from_database.inc(len(found))
        elif found := self._from_window(limit, most_bytes):
            metrics.from_window.inc(len(found))
        return found

    def enter(self, rooms: tuple[RoomRef, ...], asked_at: Cursor) -> None:
        """Follow these rooms from the position on; one joined after it only from its joining on, as a live reader does.

        The database was asked for them when the log had been read up to `asked_at`.
        """
        self._belongs = _ids(rooms).all
        self._asked_at = asked_at
        window = self._tail.window
        if not self._wanted.by_name and window.start <= self.position < window.end:
            moves: dict[int | None, str] = {}
            for event in window.after(self.position, (), self._identity.id):
                moves.setdefault(event.room_id, event.type)
            if event_types.MEMBER_JOINED in moves.values():
                rooms = tuple(room for room in rooms if moves.get(room.id) != event_types.MEMBER_JOINED)
        self._follow(rooms)

    def _follow(self, rooms: tuple[RoomRef, ...]) -> None:
        self.rooms = rooms
        ids = _ids(rooms)
        self._hub.follow(self.listener, ids.in_order, ids.visited)

    def _from_window(self, limit: int, most_bytes: int) -> list[Event]:
        window, who = self._tail.window, self._identity
        moves = window.after(self.position, (), who.id)
        followed = Followed(
            self.rooms,
            moves,
            by_name=self._wanted.by_name,
            belongs=self._belongs,
            asked_at=self._asked_at,
        )
        # What comes behind a joining belongs to a room that is not followed yet, so all there is has to be looked at.
        ahead = window.all_after(self.position) if moves else window.after(self.position, self.listener.rooms, who.id)
        moves_in = () if self._wanted.by_name else None
        found: list[Event] = []
        size = 0
        for event in ahead:
            if len(found) == limit or size >= most_bytes:
                break
            assert event.cursor is not None
            self.position = event.cursor
            if not access.may_see(who, followed, event, moves_in=moves_in):
                continue
            found.append(event)
            size += len(event.frame)
            if event.about == who.id:
                followed.take(event)
        else:
            self.position = max(self.position, window.end)
        if followed.changed:
            self._follow(followed.rooms)
        return found

    def _from_database(self, limit: int, most_bytes: int) -> list[Event]:
        """One page of what lies before the window."""
        start, asked_at = self._tail.window.start, self._tail.end
        asked = Asked(self._identity, self._wanted, self.position, [room.id for room in self.rooms], limit, most_bytes)
        page = self._catch_up.page(asked, start, lambda: self.listener.closing)
        self.position = max(self.position, page.end)
        if not self._wanted.by_name or page.end >= start:
            # By name, the leaving of a room that is lost may come with a later page.
            self.enter(page.rooms, asked_at)
        return page.events
