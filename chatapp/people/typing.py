"""`Typing`: who is writing in a room just now."""

from contextlib import suppress

from chatapp.errors import RedisAway
from chatapp.eventlog import LiveLog
from chatapp.people import access
from chatapp.people.identity import Identity
from chatapp.people.known_rooms import KnownRooms
from chatapp.storage import Database
from chatapp.wire import Signal

# Clients show it for twice as long.
REPEAT_S = 3.0


class Typing:
    def __init__(self, database: Database, live_log: LiveLog, known_rooms: KnownRooms) -> None:
        self._database = database
        self._live_log = live_log
        self._known_rooms = known_rooms

    def tell(self, who: Identity, room_name: str, typing: bool) -> None:
        """Tell the others who follow the room, if Redis is there: that somebody types only every REPEAT_S, that they
        stopped each time. Raises NotFound, Forbidden, Unavailable.
        """
        room = self._known_rooms.membership(who, room_name)
        room = room or self._database.read(lambda tx: access.writable(tx, who, room_name))
        body = {"room": room.name, "user": {"id": who.id, "name": who.name}, "typing": typing}
        signal = Signal("typing", room.id, body, without=who.id)
        with suppress(RedisAway):
            if typing:
                self._live_log.signal_once(signal.packed(), f"typing:{room.id}:{who.id}", REPEAT_S)
            else:
                self._live_log.signal(signal.packed())
