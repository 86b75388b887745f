"""`KnownRooms`: which rooms a connection follows, without a query for each connection."""

from collections.abc import Sequence

from sqlalchemy.orm import Session as Transaction

from chatapp.eventlog import Tail
from chatapp.people import access
from chatapp.people.access import RoomsAsked
from chatapp.people.cache import Cache
from chatapp.people.identity import Identity
from chatapp.people.room_ref import JoinedRooms
from chatapp.people.room_ref import RoomRef
from chatapp.runtime import Recent
from chatapp.storage import Database
from chatapp.wire import Cursor
from chatapp.wire import Event

USERS_MAX = 20_000
ROOMS_MAX = 50_000
# Changes come by the log. This only bounds how long a change by hand in the database goes unnoticed.
REMEMBER_S = 600.0

NONE = JoinedRooms()


class KnownRooms:
    """Memberships are remembered: each change comes by the log, and a reader follows it from there.

    Whoever was removed a moment ago is taken for a member until this worker has read of it, like a connection that was
    open before. For rooms that the user does not belong to, the database is asked.
    """

    def __init__(self, database: Database, tail: Tail) -> None:
        self._tail = tail
        self._memberships = Cache(database, tail, self._load, size=USERS_MAX, remember_s=REMEMBER_S)
        self._among = Cache(
            database, tail, access.among_for, size=0, remember_s=0.0, weight=lambda asked: len(asked.names)
        )
        # One object for each room, however many users belong to it.
        self._rooms: Recent[RoomRef, RoomRef] = Recent(ROOMS_MAX)

    def memberships(self, identity: Identity, position: Cursor | None) -> JoinedRooms:
        """The rooms that the identity belongs to, for a reader at `position`; None: now. Raises Unavailable."""
        # Ahead of the tail there may be a joining that this reader has already passed.
        ahead = position is None or position > self._tail.end
        ask = self._memberships.ask if ahead else self._memberships.get
        return (ask(identity.id) or NONE).within_claim(identity)

    def membership(self, identity: Identity, name: str) -> RoomRef | None:
        """The room of this name, if the identity is known to belong to it. Raises Unavailable."""
        rooms = self.memberships(identity, self._tail.end).rooms
        return next((room for room in rooms if room.name == name), None)

    def among(self, identity: Identity, names: frozenset[str], mine: JoinedRooms) -> tuple[RoomRef, ...]:
        """Those of the named rooms that someone who belongs to `mine` may read, by name. Raises Unavailable."""
        found = mine.rooms
        if len(found) != 1 or found[0].name not in names:
            found = tuple(one for one in found if one.name in names)
        if len(found) == len(names):
            return found
        return self._among.ask(RoomsAsked(identity.id, identity.rooms, names)) or ()

    def forget(self, user_id: str) -> None:
        """This worker has changed the user's memberships."""
        self._memberships.forget(user_id)

    def _load(self, transaction: Transaction, user_ids: list[str]) -> dict[str, JoinedRooms]:
        return {
            user_id: JoinedRooms([self._rooms.setdefault(room, room) for room in found.rooms], found.numbers)
            for user_id, found in access.memberships_of(transaction, user_ids).items()
        }

    def take(self, events: Sequence[Event]) -> None:
        """The tail's news: whoever joined or left has other rooms now."""
        for event in events:
            if event.about is not None:
                self._memberships.forget(event.about)

    def forget_all(self) -> None:
        """Events may have been missed."""
        self._memberships.forget_all()
