"""`Receipts`: how far each user's clients have received each room; what turns `sent` into `delivered`."""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from functools import partial
from itertools import islice

from chatapp.eventlog import KeptLog
from chatapp.eventlog import Outbox
from chatapp.eventlog import Place
from chatapp.eventlog import Tail
from chatapp.receiving import receipt_rows
from chatapp.receiving.receipt_rows import Key
from chatapp.receiving.receipt_rows import Reach
from chatapp.runtime import Loop
from chatapp.runtime import Recent
from chatapp.storage import Database
from chatapp.storage import Rows
from chatapp.wire import Cursor

# Acks gather this long, so that a room of 500 costs a handful of statements a message, not 500.
GATHER_S = 0.25
# An ack can be quicker than the record of the cursor that it confirms. That is rare, so it is looked after seldom.
LOOK_AGAIN_S = 3.0
# Rows of one transaction; the rest goes into the next.
FLUSH_MAX = 500
REMEMBERED = 50_000
# A worker may die between the record of a cursor and its second look: so this much of what was looked at is looked at
# again.
LOOK_BACK = Cursor.at(600_000)


class Receipts:
    """Gathers acks and writes them down. An ack that says nothing new costs nothing.

    One that was quicker than the record of the joining before it waits for that. The outbox calls `recorded`.
    """

    def __init__(self, database: Database, tail: Tail, outbox: Outbox, kept_log: KeptLog) -> None:
        self._database = database
        self._kept_log = kept_log
        self._tail = tail
        self._outbox = outbox
        self._waiting: dict[Key, int] = {}
        # Written already, by this worker: what it need not write again.
        self._known: Recent[Key, int] = Recent(REMEMBERED)
        # Room and place of messages whose cursors were recorded, and may have been acked before that.
        self._recorded: list[tuple[int, int]] = []
        self._loop = Loop("receipts", self.flush, interval_s=60.0, pause_s=GATHER_S)
        self._looking = Loop("quick receipts", self._look_again, interval_s=LOOK_AGAIN_S)

    def start(self) -> None:
        self._loop.start()
        self._looking.start()

    def stop(self) -> None:
        self._looking.stop()
        self._loop.stop()
        self.flush()
        self._look_again()

    def ack(self, user_id: str, rooms: Iterable[int], cursor: Cursor) -> None:
        """The user's client has received all up to `cursor` in these rooms, of which the user is a member."""
        place = min(cursor, self._newest(cursor)).packed
        for room_id in rooms:
            key = (room_id, user_id)
            if place > max(self._known.get(key, -1), self._waiting.get(key, -1)):
                self._waiting[key] = place
        if self._waiting:
            self._loop.wake()

    def recorded(self, places: Sequence[Place]) -> None:
        """These have their places in the database now."""
        created = (place for place in places if place.entry.type == "message.created")
        self._recorded += [(place.entry.room_id, int(place.first)) for place in created]
        if self._waiting and any(place.entry.type == "member.joined" for place in places):
            self._loop.wake()

    def flush(self) -> None:
        """Write the gathered acks. Raises Unavailable; they are then kept for the next time."""
        for acks in _parts(self._waiting):
            unrecorded = self._database.write_rows(partial(receipt_rows.move, acks=acks))
            written = {key: place for key, place in acks.items() if key not in unrecorded}
            self._deliver(written)
            for key, place in written.items():
                self._known[key] = max(place, self._known.get(key, -1))
                if self._waiting.get(key) == place:
                    del self._waiting[key]

    def _deliver(self, acks: Mapping[Key, int]) -> None:
        # Not in the transaction that moved the receipts: of an ack and a record at the same moment, at least one sees
        # the other.
        known = {
            key: (max(0, self._known[key] - LOOK_BACK), place) for key, place in acks.items() if key in self._known
        }
        others = {key: place for key, place in acks.items() if key not in known}
        if not acks:
            return
        if self._database.write_rows(partial(_deliver_reached, known=known, others=others)):
            self._outbox.wake()

    def _look_again(self) -> None:
        """After the record has been committed: of an ack and a record at the same moment, one sees the other."""
        if self._waiting:
            # Those whose joining another worker records.
            self._loop.wake()
        while self._recorded:
            recorded = self._recorded[:FLUSH_MAX]
            rooms = receipt_rows.by_room((room_id, (place - 1, place)) for room_id, place in recorded)
            if self._database.write_rows(partial(receipt_rows.deliver, rooms=rooms)):
                self._outbox.wake()
            del self._recorded[: len(recorded)]

    def _newest(self, cursor: Cursor) -> Cursor:
        """One beyond the newest event counts as up to that; one that only this worker has not read yet does not."""
        end = self._tail.end
        return end if cursor <= end else max(end, self._kept_log.newest_anywhere())


def _parts(acks: Mapping[Key, int]) -> Iterator[dict[Key, int]]:
    """Those that wait now, each once, FLUSH_MAX at a time."""
    waiting = iter(sorted(acks.items()))
    while part := dict(islice(waiting, FLUSH_MAX)):
        yield part


def _deliver_reached(rows: Rows, known: Mapping[Key, Reach], others: Mapping[Key, int]) -> bool:
    """Make delivered what these receipts reach: the ones that are known here, and others that the database knows."""
    reached = {**known, **receipt_rows.reach(rows, others)}
    return receipt_rows.deliver(rows, receipt_rows.by_room((room_id, reach) for (room_id, _), reach in reached.items()))
