"""`ReadReceipts`: moves how far members have read their rooms, and tells their other clients."""

from collections.abc import Callable
from contextlib import suppress

from chatapp.errors import RedisAway
from chatapp.errors import Unavailable
from chatapp.eventlog import KeptLog
from chatapp.eventlog import LiveLog
from chatapp.eventlog import Tail
from chatapp.eventlog import move_read
from chatapp.people import access
from chatapp.people.identity import Identity
from chatapp.people.known_rooms import KnownRooms
from chatapp.people.room_ref import RoomRef
from chatapp.people.unread import reads
from chatapp.runtime import Gather
from chatapp.runtime import now_ms
from chatapp.storage import Database
from chatapp.storage import rows_within
from chatapp.wire import Cursor
from chatapp.wire import Signal
from chatapp.wire import cursor_text

# Those who read at the same moment share a transaction.
AT_ONCE_MAX = 200
ANSWER_TIMEOUT_S = 5.5

# Room, user, place.
Move = tuple[int, str, int]


class ReadReceipts:
    def __init__(
        self, database: Database, live_log: LiveLog, kept_log: KeptLog, tail: Tail, known_rooms: KnownRooms
    ) -> None:
        self._database = database
        self._live_log = live_log
        self._kept_log = kept_log
        self._tail = tail
        self._known_rooms = known_rooms
        # Called with room and user of each receipt that has moved.
        self.on_moved: list[Callable[[int, str], None]] = []
        self._gather = Gather(self._write, most=AT_ONCE_MAX, timeout_s=ANSWER_TIMEOUT_S)

    def move(self, who: Identity, room_name: str, cursor: Cursor) -> RoomRef:
        """The user has read the room up to the cursor, at most to the newest event. Returns the room.

        Raises NotFound, Forbidden, Unavailable.
        """
        room = self._known_rooms.membership(who, room_name)
        room = room or self._database.read(lambda tx: access.writable(tx, who, room_name))
        place = self._place(cursor)
        try:
            self._gather.ask((room.id, who.id, place.packed))
        except TimeoutError:
            raise Unavailable("what was read could not be stored in time") from None
        for tell in self.on_moved:
            tell(room.id, who.id)
        self._tell(who, room)
        return room

    def _place(self, cursor: Cursor) -> Cursor:
        """At most the newest event. While Redis is away nobody knows that one: then, what may have been handed out."""
        place = min(cursor, self._kept_log.newest_for(cursor, self._tail.end))
        if place < cursor and not self._live_log.writable:
            return min(cursor, max(place, Cursor.at(now_ms())))
        return place

    def _write(self, moves: list[Move]) -> list[Exception | None]:
        self._database.write_rows(lambda rows: move_read(rows, moves))
        return [None] * len(moves)

    def _tell(self, who: Identity, room: RoomRef) -> None:
        read = self._database.read(lambda tx: reads(rows_within(tx), who.id, [room.id])).get(room.id)
        if read is None or read.place is None:
            return
        body = {"room": room.name, "readCursor": cursor_text(read.place), "unread": read.unread}
        with suppress(RedisAway):
            self._live_log.signal(Signal("read", room.id, body, to=who.id).packed())
