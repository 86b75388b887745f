"""`Window`: the newest events of the log in this worker's memory, found by room and by user. Pure."""

from collections import deque
from collections.abc import Iterable
from collections.abc import Iterator
from typing import TypeVar

from chatapp.wire import Cursor
from chatapp.wire import Event
from chatapp.wire import Restated
from chatapp.wire import event_types

# So much is kept, as it stands on the wire: ten thousand events are 5 MB as people write, and could be 200.
BYTES_MAX = 64 * 1024 * 1024

K = TypeVar("K")


class Window:
    """Every event in (start, end], at most `size` of them and BYTES_MAX.

    A reader at or after `start` finds all it needs here; one before it reads the database up to `start`.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._events: deque[Event] = deque()
        # Of each, when it came. What is restated may be longer: a message holds sixteen times as much at most.
        self._sizes: deque[int] = deque()
        self._by_room: dict[int, deque[Event]] = {}
        self._by_member: dict[str, deque[Event]] = {}
        # Most stand here once: a list takes a tenth of the memory that a deque does.
        self._by_message: dict[str, list[Event]] = {}
        self._bytes = 0
        self.start = Cursor(0)
        self.end = Cursor(0)
        self._forgotten = Cursor(0)

    def reset(self, position: Cursor) -> None:
        """Forget everything: what lies at or before `position` has to come from the database."""
        self._events.clear()
        self._sizes.clear()
        self._by_room.clear()
        self._by_member.clear()
        self._by_message.clear()
        self._bytes = 0
        self.start = self.end = position

    def append(self, event: Event, cursor: Cursor) -> None:
        """Add the event at `cursor`, which lies after `end`; the oldest leave when the window is full."""
        self._events.append(event)
        size = event.size
        self._sizes.append(size)
        self._bytes += size
        if event.room_id is not None:
            _put(self._by_room, event.room_id, event)
        if event.about is not None:
            _put(self._by_member, event.about, event)
        if event.message_id is not None:
            if event.type != event_types.MESSAGE_CREATED:
                # Catching up gives a message in its present state: what was edited or withdrawn is not told again.
                self.restate(event.message_id, event)
            self._by_message.setdefault(event.message_id, []).append(event)
        self.end = cursor
        while len(self._events) > self._size or (self._bytes > BYTES_MAX and len(self._events) > 1):
            self._drop_oldest()
        if cursor <= self._forgotten:
            self.forget(self._forgotten)

    def forget(self, until: Cursor) -> None:
        """What lies up to there has to come from the database, also what is only read from the log later."""
        self._forgotten = max(self._forgotten, until)
        while self._events and (self._events[0].cursor or until) <= until:
            self._drop_oldest()

    def move(self, cursor: Cursor) -> None:
        """The log went on to `cursor` without an event."""
        self.end = cursor

    def after(self, position: Cursor, rooms: Iterable[int], user_id: str) -> list[Event]:
        """What this user may see after `position`: in these rooms, and their own joining and leaving of any room."""
        found: dict[Cursor, Event] = {}
        queues = [self._by_room.get(room) for room in rooms]
        queues.append(self._by_member.get(user_id))
        for queue in queues:
            for event in _newer(queue, position):
                if event.visible_to(user_id) and event.cursor is not None:
                    found[event.cursor] = event
        return [found[cursor] for cursor in sorted(found)]

    def all_after(self, position: Cursor) -> list[Event]:
        """Everything after `position`, whoever may see it."""
        return list(_newer(self._events, position))[::-1]

    def restate(self, message_id: str, newer: Restated) -> None:
        """Let what stands here of a message say what it says now."""
        for earlier in self._by_message.get(message_id, ()):
            earlier.restate(newer)

    def _drop_oldest(self) -> None:
        event = self._events.popleft()
        assert event.cursor is not None
        self.start = event.cursor
        self._bytes -= self._sizes.popleft()
        if event.room_id is not None:
            _drop_first(self._by_room, event.room_id)
        if event.about is not None:
            _drop_first(self._by_member, event.about)
        if event.message_id is not None:
            same = self._by_message[event.message_id]
            del same[0]
            if not same:
                del self._by_message[event.message_id]


def _put(queues: dict[K, deque[Event]], key: K, event: Event) -> None:
    queue = queues.get(key)
    if queue is None:
        queues[key] = deque((event,))
    else:
        queue.append(event)


def _drop_first(queues: dict[K, deque[Event]], key: K) -> None:
    queue = queues[key]
    queue.popleft()
    if not queue:
        del queues[key]


def _newer(queue: deque[Event] | None, position: Cursor) -> Iterator[Event]:
    for event in reversed(queue or ()):
        if event.cursor is None or event.cursor <= position:
            return
        yield event
