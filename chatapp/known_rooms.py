"""`KnownRooms`: which rooms a connection follows, without a query for each connection."""

from sqlalchemy.orm import Session as Transaction

from chatapp import access
from chatapp.access import Identity
from chatapp.access import RoomRef
from chatapp.access import RoomsAsked
from chatapp.database import Database
from chatapp.event import Cursor
from chatapp.event import Event
from chatapp.hub import Hub
from chatapp.lookup import Lookup
from chatapp.recent import Recent

USERS_MAX = 20_000
ROOMS_MAX = 50_000
# Changes come by the log. This only bounds how long a change by hand in the database goes unnoticed.
REMEMBER_S = 600.0


class KnownRooms:
    """Memberships are remembered: each change comes by the log, and a reader follows it from there.

    Whoever was removed a moment ago, and whose leaving this worker has not read yet, is taken for a member until
    it has, like a connection that was open before. Of rooms that one does not belong to, the database is asked.
    """

    def __init__(self, database: Database, hub: Hub) -> None:
        self._hub = hub
        self._memberships = Lookup(database, hub, self._load, size=USERS_MAX, remember_s=REMEMBER_S)
        self._among = Lookup(
            database, hub, access.among_for, size=0, remember_s=0.0, weight=lambda asked: len(asked.names)
        )
        # One of each room, however many users belong to it.
        self._rooms: Recent[RoomRef, RoomRef] = Recent(ROOMS_MAX)
        hub.on_event.append(self._take)

    def memberships(self, identity: Identity, position: Cursor) -> tuple[RoomRef, ...]:
        """The rooms that the identity belongs to, by name, for a reader at `position`. Raises Unavailable."""
        # Ahead of the tail there may be a joining behind which this reader already stands.
        ask = self._memberships.ask if position > self._hub.end else self._memberships.get
        return access.claimed(identity, ask(identity.id) or ())

    def membership(self, identity: Identity, name: str) -> RoomRef | None:
        """The room of this name, if the identity is known to belong to it. Raises Unavailable."""
        rooms = self.memberships(identity, self._hub.end)
        return next((room for room in rooms if room.name == name), None)

    def among(self, identity: Identity, names: frozenset[str]) -> tuple[RoomRef, ...]:
        """Those of the named rooms that may be read, by name. Raises Unavailable."""
        mine = self.memberships(identity, self._hub.end)
        found = mine if len(mine) == 1 and mine[0].name in names else tuple(one for one in mine if one.name in names)
        if len(found) == len(names):
            return found
        return self._among.ask(RoomsAsked(identity.id, identity.rooms, names)) or ()

    def forget(self, user_id: str) -> None:
        """This worker has changed the user's memberships."""
        self._memberships.forget(user_id)

    def _load(self, transaction: Transaction, user_ids: list[str]) -> dict[str, tuple[RoomRef, ...]]:
        found = access.memberships_of(transaction, user_ids)
        return {
            user_id: tuple(self._rooms.setdefault(room, room) for room in rooms) for user_id, rooms in found.items()
        }

    def _take(self, event: Event) -> None:
        if event.about is not None:
            self._memberships.forget(event.about)
