"""`Listener`: a connection as the hub knows it; `Waiter`, one whose greenlet waits; `Followers`, who follows a room."""

from collections import deque
from collections.abc import Callable
from collections.abc import Collection
from typing import Generic
from typing import TypeVar

from gevent.event import Event as Flag

from chatapp.wire import Event
from chatapp.wire import Signal

SIGNALS_MAX = 100
# An empty set takes 216 bytes, and thousands of connections have one.
NO_ROOMS: frozenset[int] = frozenset()


class Listener:
    """A connection that is told of events. It holds no events: what it missed is read from its position on.

    `transport` is the way in which they reach its client.
    """

    __slots__ = ("closing", "rooms", "session_id", "user_id", "visited")
    transport: str

    def __init__(self, user_id: str, session_id: str) -> None:
        self.user_id = user_id
        self.session_id = session_id
        self.rooms: tuple[int, ...] = ()
        # Those of them that its user does not belong to.
        self.visited = NO_ROOMS
        # Why it must end, or None.
        self.closing: str | None = None

    def follow(self, rooms: tuple[int, ...]) -> None:
        """Be told of these rooms from now on, and no longer of others."""
        raise NotImplementedError

    def hears(self, signal: Signal) -> bool:
        """Whether a signal of a room that it follows is for it."""
        return signal.for_user(self.user_id) and signal.room_id not in self.visited

    def close(self, reason: str) -> None:
        """End this connection. The first reason counts."""
        raise NotImplementedError

    def leave(self) -> None:
        """Be told nothing more."""
        raise NotImplementedError


L = TypeVar("L", bound=Listener)


class Followers(Generic[L]):
    """Connections by the rooms that they follow."""

    def __init__(self) -> None:
        self._by_room: dict[int, set[L]] = {}

    def add(self, listener: L) -> None:
        for room in listener.rooms:
            self._by_room.setdefault(room, set()).add(listener)

    def discard(self, listener: L) -> None:
        """Forget it; to be called before its rooms change."""
        for room in listener.rooms:
            followers = self._by_room.get(room, set())
            followers.discard(listener)
            if not followers:
                self._by_room.pop(room, None)

    def __contains__(self, room: int | None) -> bool:
        """Whether anybody follows it."""
        return room in self._by_room

    def of_room(self, room: int | None) -> Collection[L]:
        return self._by_room.get(room or 0, ())


class Waiter(Listener):
    """A connection with a greenlet of its own, which sleeps until there may be something to read."""

    __slots__ = ("_flag", "_followers", "_wants", "signals", "transport")

    def __init__(
        self,
        user_id: str,
        session_id: str,
        transport: str,
        followers: "Followers[Waiter]",
        wants: Callable[[Signal], bool] | None = None,
    ) -> None:
        super().__init__(user_id, session_id)
        self.transport = transport
        # Which signals of its rooms it hears, where it is not as with all others.
        self._wants = wants
        self._followers = followers
        self._flag = Flag()
        # What it has not taken yet; beyond this the oldest are lost.
        self.signals: deque[Event] = deque(maxlen=SIGNALS_MAX)

    def follow(self, rooms: tuple[int, ...]) -> None:
        self._followers.discard(self)
        self.rooms = rooms
        self._followers.add(self)

    def hears(self, signal: Signal) -> bool:
        return super().hears(signal) if self._wants is None else self._wants(signal)

    def close(self, reason: str) -> None:
        self.closing = self.closing or reason
        self._flag.set()

    def leave(self) -> None:
        self._followers.discard(self)

    def wake(self) -> None:
        self._flag.set()

    def signal(self, event: Event) -> None:
        self.signals.append(event)
        self._flag.set()

    def take_signals(self) -> list[Event]:
        """Those of rooms that it still follows as a member."""
        if not self.signals:
            return []
        rooms = set(self.rooms) - self.visited
        taken = [event for event in self.signals if event.room_id in rooms]
        self.signals.clear()
        return taken

    @property
    def woken(self) -> bool:
        """Whether it was woken since the last `clear`, and so need not wait."""
        return self._flag.is_set()

    def clear(self) -> None:
        """Call before looking for events, so that what comes after the look is not slept through."""
        self._flag.clear()

    def wait(self, seconds: float) -> None:
        self._flag.wait(max(0.0, seconds))

    def pause(self, seconds: float) -> None:
        """Wait this long, or until there is news; not at all when this connection is to end."""
        self._flag.clear()
        if not self.closing:
            self._flag.wait(seconds)
