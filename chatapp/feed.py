"""`Feed`: reading the log from any cursor."""

from chatapp.access import Identity
from chatapp.access import RoomRef
from chatapp.connections import Connections
from chatapp.database import Database
from chatapp.errors import NotFound
from chatapp.event import Cursor
from chatapp.event import now_ms
from chatapp.hub import Hub
from chatapp.known_rooms import KnownRooms
from chatapp.listener import Listener
from chatapp.listener import Waiter
from chatapp.positions import Positions
from chatapp.reader import Reader
from chatapp.reader import Sources
from chatapp.reader import Wanted
from chatapp.receipts import Receipts

# A cursor this far ahead of the clock was never handed out, unless log or database know better.
AHEAD_MAX_MS = 60_000


class Feed:
    """Opens readers at a cursor, and counts them. Both transports call this and nothing else."""

    def __init__(
        self,
        hub: Hub,
        database: Database,
        positions: Positions,
        known_rooms: KnownRooms,
        connections: Connections,
        receipts: Receipts,
    ) -> None:
        self._hub = hub
        self._positions = positions
        self._known_rooms = known_rooms
        self._connections = connections
        self._receipts = receipts
        self._sources = Sources(hub, database, positions, receipts.joined)

    def waiter(self, identity: Identity) -> Waiter:
        """The listener of a connection whose greenlet waits."""
        return Waiter(identity.id, identity.session_id, self._hub.waiters)

    def open(self, listener: Listener, identity: Identity, wanted: Wanted, since: Cursor | None) -> Reader:
        """A reader that continues from `since`, or from now, until `close`. The cursor confirms all up to it.

        Raises TooManyConnections, NotFound if a room asked for may not be read, and Unavailable.
        """
        self._connections.take(identity.id)
        try:
            reader = self._open(listener, identity, wanted, since)
            rooms = [room.id for room in reader.rooms if room.member]
            if since is None or reader.reset:
                self._receipts.begin(identity.id, rooms, reader.position)
            else:
                self._receipts.ack(identity.id, rooms, since)
        except BaseException:
            self.close(listener)
            raise
        return reader

    def close(self, listener: Listener) -> None:
        """Give back what `open` took, once."""
        self._hub.remove(listener)
        self._connections.give_back(listener.user_id)

    def _open(self, listener: Listener, identity: Identity, wanted: Wanted, since: Cursor | None) -> Reader:
        reset = since is not None and self._never_handed_out(since)
        self._hub.add(listener)
        # Before the rooms are read: a room joined after that announces itself behind this position.
        asked_at = self._hub.end
        position = asked_at if since is None or reset else since
        if since is not None and not reset:
            self._hub.accept(since)
        rooms = self._rooms(identity, wanted, position)
        if wanted.names is not None and (not rooms or (len(rooms) < len(wanted.names) and not wanted.lenient)):
            raise NotFound
        reader = Reader(self._sources, identity, wanted, listener, position, reset=reset)
        reader.enter(rooms, asked_at)
        return reader

    def _rooms(self, identity: Identity, wanted: Wanted, position: Cursor) -> tuple[RoomRef, ...]:
        if wanted.names is None:
            return self._known_rooms.memberships(identity, position)
        return self._known_rooms.among(identity, wanted.names)

    def _never_handed_out(self, cursor: Cursor) -> bool:
        if cursor.milliseconds - now_ms() <= AHEAD_MAX_MS or cursor <= self._hub.end:
            return False
        return cursor > self._positions.newest_anywhere()
