"""`Feed`: reading the log from any cursor."""

from collections.abc import Callable

from chatapp import metrics
from chatapp.errors import NotFound
from chatapp.eventlog import Hub
from chatapp.eventlog import Listener
from chatapp.eventlog import LogOwner
from chatapp.eventlog import Tail
from chatapp.eventlog import Waiter
from chatapp.people import Identity
from chatapp.people import JoinedRooms
from chatapp.people import KnownRooms
from chatapp.receiving.catch_up import CatchUp
from chatapp.receiving.places import Places
from chatapp.receiving.reader import Reader
from chatapp.receiving.receipts import Receipts
from chatapp.receiving.wanted import Wanted
from chatapp.wire import Cursor
from chatapp.wire import Signal


class Feed:
    """Opens readers at a cursor, and counts them. Every transport calls this and nothing else."""

    def __init__(
        self,
        hub: Hub,
        tail: Tail,
        log_owner: LogOwner,
        catch_up: CatchUp,
        known_rooms: KnownRooms,
        places: Places,
        receipts: Receipts,
    ) -> None:
        self._hub = hub
        self._tail = tail
        self._log_owner = log_owner
        self._known_rooms = known_rooms
        self._places = places
        self._receipts = receipts
        self._catch_up = catch_up

    def waiter(self, identity: Identity, transport: str, wants: Callable[[Signal], bool] | None = None) -> Waiter:
        """The listener of a connection whose greenlet waits. `wants` as in `Hub.waiter`."""
        return self._hub.waiter(identity.id, identity.session_id, transport, wants)

    def open(self, listener: Listener, identity: Identity, wanted: Wanted, since: Cursor | None) -> Reader:
        """A reader that continues from `since`, or from now, until `close`. The cursor confirms all up to it.

        Raises TooManyConnections, NotFound if a room asked for may not be read, and Unavailable.
        """
        self._places.take(identity.id)
        metrics.held_open[listener.transport].inc()
        try:
            reader, mine = self._open(listener, identity, wanted, since)
            if since is not None and not reader.reset:
                self._receipts.ack(identity.id, mine.joinings(reader.rooms), since)
        except BaseException:
            self.close(listener)
            raise
        return reader

    def close(self, listener: Listener) -> None:
        """Give back what `open` took, once."""
        metrics.held_open[listener.transport].dec()
        self._hub.remove(listener)
        self._places.give_back(listener.user_id)

    def _open(
        self, listener: Listener, identity: Identity, wanted: Wanted, since: Cursor | None
    ) -> tuple[Reader, JoinedRooms]:
        """The reader, and the rooms that the user belongs to."""
        reset = since is not None and not self._log_owner.continues(since)
        self._hub.add(listener)
        # Before the rooms are read: a room joined after that announces itself behind this position.
        asked_at = self._tail.end
        position = self._log_owner.now() if since is None or reset else since
        if since is not None and not reset:
            self._tail.accept(since)
        mine = self._known_rooms.memberships(identity, position)
        rooms = mine.rooms if wanted.names is None else self._known_rooms.among(identity, wanted.names, mine)
        if wanted.names is not None and (not rooms or (len(rooms) < len(wanted.names) and not wanted.lenient)):
            raise NotFound
        reader = Reader(self._hub, self._tail, self._catch_up, identity, wanted, listener, position, reset=reset)
        reader.enter(rooms, asked_at)
        return reader, mine
