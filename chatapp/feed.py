"""`Feed`: reading the log from any cursor."""

from collections.abc import Iterator
from contextlib import contextmanager

from chatapp.access import Identity
from chatapp.access import RoomRef
from chatapp.database import Database
from chatapp.errors import NotFound
from chatapp.event import Cursor
from chatapp.event import now_ms
from chatapp.hub import Hub
from chatapp.known_rooms import KnownRooms
from chatapp.positions import Positions
from chatapp.reader import Reader
from chatapp.reader import Wanted

# A cursor this far ahead of the clock was never handed out, unless log or database know better.
AHEAD_MAX_MS = 60_000


class Feed:
    """Opens readers at a cursor. Both transports call this and nothing else."""

    def __init__(self, hub: Hub, database: Database, positions: Positions, known_rooms: KnownRooms) -> None:
        self.hub = hub
        self.database = database
        self.positions = positions
        self.known_rooms = known_rooms

    @contextmanager
    def open(self, identity: Identity, wanted: Wanted, since: Cursor | None) -> Iterator[Reader]:
        """A reader that continues from `since`, or from now.

        Raises NotFound if a room asked for may not be read, and Unavailable.
        """
        reset = since is not None and self._never_handed_out(since)
        with self.hub.listen(identity.id, identity.session_id) as listener:
            # Before the rooms are read: a room joined after that announces itself behind this position.
            asked_at = self.hub.end
            position = asked_at if since is None or reset else since
            if since is not None and not reset:
                self.hub.accept(since)
            rooms = self._rooms(identity, wanted, position)
            if wanted.names is not None and (not rooms or (len(rooms) < len(wanted.names) and not wanted.lenient)):
                raise NotFound
            reader = Reader(self.hub, self.database, self.positions, identity, wanted, listener, position, reset=reset)
            reader.enter(rooms, asked_at)
            yield reader

    def _rooms(self, identity: Identity, wanted: Wanted, position: Cursor) -> list[RoomRef]:
        if wanted.names is None:
            return self.known_rooms.memberships(identity, position)
        return self.known_rooms.among(identity, wanted.names)

    def _never_handed_out(self, cursor: Cursor) -> bool:
        if cursor.milliseconds - now_ms() <= AHEAD_MAX_MS or cursor <= self.hub.end:
            return False
        return cursor > self.positions.newest_anywhere()
