"""`Receipts`: how far each user's clients have received each room; what turns `sent` into `delivered`."""

from collections.abc import Iterable
from functools import partial

from chatapp import delivery
from chatapp.background import Loop
from chatapp.database import Database
from chatapp.delivery import Key
from chatapp.delivery import Reach
from chatapp.event import Cursor
from chatapp.hub import Hub
from chatapp.outbox import Outbox
from chatapp.positions import Positions
from chatapp.recent import Recent
from chatapp.rows import Rows

# Acks gather this long, so that a room of 500 costs a handful of statements a message, not 500.
GATHER_S = 0.25
# An ack can be quicker than the record of the cursor that it confirms. That is rare, so it is looked after seldom.
LOOK_AGAIN_S = 3.0
# Rows of one transaction; the rest goes into the next.
FLUSH_MAX = 500
REMEMBERED = 50_000
# A worker may die between the record of a cursor and its second look: so much of what was looked at is again.
LOOK_BACK = Cursor.at(600_000)


class Receipts:
    """Gathers acks and writes them down. An ack that says nothing new costs nothing."""

    def __init__(self, database: Database, hub: Hub, outbox: Outbox, positions: Positions) -> None:
        self._database = database
        self._positions = positions
        self._hub = hub
        self._outbox = outbox
        self._beginning: dict[Key, int] = {}
        self._joined: set[Key] = set()
        self._waiting: dict[Key, int] = {}
        # Written already, by this worker: what it need not write again.
        self._begun: Recent[Key, int] = Recent(REMEMBERED)
        self._known: Recent[Key, int] = Recent(REMEMBERED)
        # Room and place of messages whose cursors were recorded, and may have been acked before that.
        self._recorded: list[tuple[int, int]] = []
        self._loop = Loop("receipts", self.flush, interval_s=60.0, pause_s=GATHER_S)
        self._looking = Loop("quick receipts", self._look_again, interval_s=LOOK_AGAIN_S)
        outbox.on_recorded.append(self._recorded.extend)

    def start(self) -> None:
        self._loop.start()
        self._looking.start()

    def stop(self) -> None:
        self._looking.stop()
        self._loop.stop()
        self.flush()
        self._look_again()

    def begin(self, user_id: str, rooms: Iterable[int], position: Cursor) -> None:
        """A client of this user follows these rooms from here on; where it has a receipt, nothing changes."""
        new = [(room_id, user_id) for room_id in rooms if (room_id, user_id) not in self._begun]
        for key in new:
            self._beginning.setdefault(key, position.packed)
        if new:
            self._loop.wake()

    def joined(self, user_id: str, room_id: int, position: Cursor) -> None:
        """The user joined the room at this position, and a connection has followed it since."""
        if (room_id, user_id) not in self._begun:
            self._joined.add((room_id, user_id))
        self.begin(user_id, [room_id], position)

    def ack(self, user_id: str, rooms: Iterable[int], cursor: Cursor) -> None:
        """The user's client has received all up to `cursor` in these rooms, of which the user is a member."""
        position = min(cursor, self._newest(cursor)).packed
        for room_id in rooms:
            key = (room_id, user_id)
            if position > max(self._known.get(key, -1), self._waiting.get(key, -1)):
                self._waiting[key] = position
        if self._waiting:
            self._loop.wake()

    def _newest(self, cursor: Cursor) -> Cursor:
        """One beyond the newest event counts as up to that; one that only this worker has not read yet does not."""
        return self._hub.end if cursor <= self._hub.end else max(self._hub.end, self._positions.newest_anywhere())

    def flush(self) -> None:
        """Write the gathered acks. Raises Unavailable; they are then kept for the next time."""
        while self._waiting or self._beginning:
            begun = dict(sorted(self._beginning.items())[:FLUSH_MAX])
            acks = dict(sorted(self._waiting.items())[:FLUSH_MAX])
            joined = self._joined & begun.keys()
            self._database.write_rows(partial(delivery.move, begun=begun, joined=joined, acks=acks))
            self._joined -= joined
            known = {
                key: (max(0, self._known[key] - LOOK_BACK), position)
                for key, position in acks.items()
                if key in self._known and key not in begun
            }
            # In a transaction of its own: of an ack and a record at the same moment, at least one sees the other.
            reached = partial(_deliver_reached, known=known, others={*begun, *acks} - known.keys())
            if self._database.write_rows(reached):
                self._outbox.wake()
            self._settle(self._beginning, begun, self._begun)
            self._settle(self._waiting, acks, self._known)

    def _look_again(self) -> None:
        """After the record has been committed: of an ack and a record at the same moment, one sees the other."""
        while self._recorded:
            recorded = self._recorded[:FLUSH_MAX]
            rooms = _by_room((room_id, (place - 1, place)) for room_id, place in recorded)
            if self._database.write_rows(partial(delivery.deliver, rooms=rooms)):
                self._outbox.wake()
            del self._recorded[: len(recorded)]

    def _settle(self, waiting: dict[Key, int], written: dict[Key, int], remembered: Recent[Key, int]) -> None:
        for key, position in written.items():
            remembered[key] = max(position, remembered.get(key, -1))
            if waiting.get(key) == position:
                del waiting[key]


def _deliver_reached(rows: Rows, known: dict[Key, Reach], others: set[Key]) -> bool:
    """Make delivered what these receipts reach: the ones that are known here, and others that the database knows."""
    reached = known | delivery.reach(rows, others)
    return delivery.deliver(rows, _by_room((room_id, reach) for (room_id, _), reach in reached.items()))


def _by_room(reached: Iterable[tuple[int, Reach]]) -> dict[int, Reach]:
    """The part of each room that holds all that was reached there."""
    rooms: dict[int, Reach] = {}
    for room_id, (after, until) in reached:
        least, most = rooms.get(room_id, (after, until))
        rooms[room_id] = min(least, after), max(most, until)
    return rooms
