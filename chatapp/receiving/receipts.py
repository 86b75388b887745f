"""`Receipts`: how far each user's clients have received each room; what turns `sent` into `delivered`."""

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from functools import partial
from itertools import islice

from sqlalchemy.exc import SQLAlchemyError

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
from chatapp.wire import event_types

# Acks gather this long, so that a room of 500 costs a handful of statements a message, not 500.
GATHER_S = 0.25
# An ack can be quicker than the record of the cursor that it confirms. That is rare, so a look now and then will do.
LOOK_AGAIN_S = 3.0
# Rows of one transaction; the rest goes into the next.
FLUSH_MAX = 500
REMEMBERED = 50_000
# A worker may die between the record of a cursor and its second look, so an ack looks again at this much of what
# was looked at before.
LOOK_BACK = Cursor.at(600_000)


class Receipts:
    """Gathers acks and writes them down. An ack that says nothing new costs nothing.

    The outbox calls `recorded`.
    """

    def __init__(self, database: Database, tail: Tail, outbox: Outbox, kept_log: KeptLog) -> None:
        self._database = database
        self._kept_log = kept_log
        self._tail = tail
        self._outbox = outbox
        self._waiting: dict[Key, int] = {}
        # Written already, by this worker: what it need not write again.
        self._known: Recent[Key, int] = Recent(REMEMBERED)
        # What was recorded, and may have been acked before that: places of messages, and joinings.
        self._messages: list[tuple[int, Reach]] = []
        self._joinings: list[Key] = []
        # Called with room and user of each receipt that has moved, and up to which place.
        self.on_moved: list[Callable[[int, str, int], None]] = []
        self._loop = Loop("receipts", self.flush, interval_s=60.0, pause_s=GATHER_S, refused_by=SQLAlchemyError)
        self._looking = Loop("quick receipts", self._look_again, interval_s=LOOK_AGAIN_S, refused_by=SQLAlchemyError)

    def start(self) -> None:
        self._loop.start()
        self._looking.start()

    def stop(self) -> None:
        self._looking.stop()
        self._loop.stop()
        self.flush()
        self._look_again()

    def ack(self, user_id: str, memberships: Iterable[tuple[int, int]], cursor: Cursor) -> None:
        """The user's client has received all up to `cursor` in these memberships: their rooms and joinings."""
        place = min(cursor, self._kept_log.newest_for(cursor, self._tail.end)).packed
        for room_id, joining in memberships:
            key = (room_id, user_id, joining)
            if place > max(self._known.get(key, -1), self._waiting.get(key, -1)):
                self._waiting[key] = place
        if self._waiting:
            self._loop.wake()

    def recorded(self, places: Sequence[Place]) -> None:
        """These have their places in the database now."""
        for place in places:
            entry, first = place.entry, int(place.first)
            if entry.type == event_types.MESSAGE_CREATED:
                self._messages.append((entry.room_id, (first - 1, first)))
            elif entry.type == event_types.MEMBER_JOINED and entry.about is not None:
                self._joinings.append((entry.room_id, entry.about, entry.number))

    def flush(self) -> None:
        """Write the gathered acks. Raises Unavailable; they are then kept for the next time."""
        while acks := dict(islice(self._waiting.items(), FLUSH_MAX)):
            self._database.write_rows(partial(receipt_rows.move, acks=acks))
            # In a transaction of its own: of an ack and a record at the same moment, at least one sees the other.
            known = {key: (max(0, self._known[key] - LOOK_BACK), acks[key]) for key in acks.keys() & self._known.keys()}
            self._deliver(known, acks.keys() - known.keys())
            for key, place in acks.items():
                self._known[key] = max(place, self._known.get(key, -1))
                if self._waiting.get(key) == place:
                    del self._waiting[key]
                for tell in self.on_moved:
                    tell(key[0], key[1], place)

    def _look_again(self) -> None:
        """After the record has been committed: of an ack and a record at the same moment, one sees the other."""
        while self._messages or self._joinings:
            messages, joinings = self._messages[:FLUSH_MAX], self._joinings[:FLUSH_MAX]
            self._deliver({}, joinings, messages)
            del self._messages[: len(messages)], self._joinings[: len(joinings)]

    def _deliver(
        self, known: Mapping[Key, Reach], others: Collection[Key], messages: Sequence[tuple[int, Reach]] = ()
    ) -> None:
        """Make delivered what `known` and the receipts of `others` reach, and what of `messages` was received."""

        def work(rows: Rows) -> tuple[bool, dict[int, Reach]]:
            reached = {**known, **receipt_rows.reach(rows, others)}
            parts = [(room_id, reach) for (room_id, _, _), reach in reached.items()]
            return receipt_rows.deliver(rows, receipt_rows.by_room([*parts, *messages]), acked)

        acked = [*known, *others]
        any_, left = self._database.write_rows(work)
        while True:
            if any_:
                self._outbox.wake()
            if not left:
                return
            any_, left = self._database.write_rows(partial(receipt_rows.deliver, rooms=left, acked=acked))
