"""`Hub`: the connections of this worker: who is woken by what, and who must end."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

from chatapp.eventlog.listener import Followers
from chatapp.eventlog.listener import Listener
from chatapp.eventlog.listener import Waiter
from chatapp.runtime import Recent
from chatapp.wire import Cursor
from chatapp.wire import Event
from chatapp.wire import Signal

# A request that was under way when its session ended is over long before this many other sessions have ended.
ENDED_SESSIONS_MAX = 1000


class Hub:
    """Knows every connection from `add` to `remove`, so that it ends with its session and with this worker."""

    def __init__(self) -> None:
        # A user has few connections, and a tuple is a quarter of the size of a set.
        self._by_user: dict[str, tuple[Listener, ...]] = {}
        # Those whom the tail's news is given to, in each of the ways in which that is done.
        self._told: list[Followers[Any]] = []
        self._waiters: Followers[Waiter] = self.followers()
        self._ended_sessions: Recent[str, None] = Recent(ENDED_SESSIONS_MAX)
        self._closing: str | None = None
        # Called with each connection that follows other rooms than before, or none any more.
        self.on_follow: list[Callable[[Listener], None]] = []

    def followers(self) -> Followers[Any]:
        """For another way to tell those who follow a room."""
        self._told.append(Followers())
        return self._told[-1]

    def concerns(self, event: Event) -> bool:
        """Whether somebody here may have to be told: who follows the room, or has joined or left it."""
        if event.about is not None and event.about in self._by_user:
            return True
        return any(event.room_id in followers for followers in self._told)

    def waiter(
        self, user_id: str, session_id: str, transport: str, wants: Callable[[Signal], bool] | None = None
    ) -> Waiter:
        """The listener of a connection whose greenlet waits. `wants`: which signals of its rooms it hears, otherwise
        those that a member hears."""
        return Waiter(user_id, session_id, transport, self._waiters, wants)

    def add(self, listener: Listener) -> None:
        self._by_user[listener.user_id] = (*self.of_user(listener.user_id), listener)
        if self._closing:
            listener.close(self._closing)
        elif listener.session_id in self._ended_sessions:
            listener.close("signed_out")

    def follow(self, listener: Listener, rooms: tuple[int, ...], visited: frozenset[int]) -> None:
        """Let it be told of these rooms from now on, and no longer of others. To those `visited` its user does not
        belong."""
        listener.follow(rooms)
        listener.visited = visited
        self._tell_follow(listener)

    def remove(self, listener: Listener) -> None:
        listener.leave()
        rest = tuple(other for other in self._by_user.pop(listener.user_id, ()) if other is not listener)
        if rest:
            self._by_user[listener.user_id] = rest
        self._tell_follow(listener)

    def of_user(self, user_id: str | None) -> tuple[Listener, ...]:
        return self._by_user.get(user_id or "", ())

    def end_session(self, session_id: str) -> None:
        """Close the connections of one session here, and those that it is opening just now."""
        self._ended_sessions[session_id] = None
        for listener in [one for one in self if one.session_id == session_id]:
            listener.close("signed_out")

    def has_ended(self, session_id: str) -> bool:
        """Whether the session ended a while ago at most."""
        return session_id in self._ended_sessions

    def drain(self, reason: str = "shutdown") -> None:
        """Close every connection, and those that come after."""
        self._closing = reason
        for listener in self:
            listener.close(reason)

    def rotate(self) -> None:
        """Close every connection; each comes back with its cursor."""
        for listener in self:
            listener.close("rotate")

    def wake(self, events: Sequence[Event], before: Cursor) -> None:
        """Wake those whom these events concern."""
        for event in events:
            for waiter in self._waiters.of_room(event.room_id):
                if event.visible_to(waiter.user_id):
                    waiter.wake()
            for listener in self.of_user(event.about):
                if isinstance(listener, Waiter):
                    listener.wake()

    def hearers(self, signal: Signal) -> list[Waiter]:
        """Those who wait here and hear it."""
        return [waiter for waiter in self._waiters.of_room(signal.room_id) if waiter.hears(signal)]

    def wake_all(self) -> None:
        for listener in self:
            if isinstance(listener, Waiter):
                listener.wake()

    def __iter__(self) -> Iterator[Listener]:
        for listeners in list(self._by_user.values()):
            yield from listeners

    def _tell_follow(self, listener: Listener) -> None:
        for tell in self.on_follow:
            tell(listener)
