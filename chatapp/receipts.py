"""`Receipts`: how far each user's clients have received each room; what turns `sent` into `delivered`."""

from collections.abc import Iterable
from functools import partial

from sqlalchemy import ColumnElement
from sqlalchemy import case
from sqlalchemy import exists
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import tuple_
from sqlalchemy import update
from sqlalchemy.orm import Session as Transaction

from chatapp.background import Loop
from chatapp.database import Database
from chatapp.database import insert_into
from chatapp.event import Cursor
from chatapp.hub import Hub
from chatapp.models import EventRow
from chatapp.models import Membership
from chatapp.models import Message
from chatapp.models import MessageStatus
from chatapp.models import Receipt
from chatapp.outbox import Outbox
from chatapp.positions import Positions
from chatapp.recent import Recent

# Acks gather this long, so that a room of 500 costs a handful of statements a message, not 500.
GATHER_S = 0.25
# An ack can be quicker than the record of the cursor that it confirms. That is rare, so it is looked after seldom.
LOOK_AGAIN_S = 3.0
# Rows of one transaction; the rest goes into the next.
FLUSH_MAX = 500
REMEMBERED = 50_000

Key = tuple[int, str]


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
        # Messages whose cursors were recorded, and may have been acked before that.
        self._recorded: list[str] = []
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
            self._database.write(partial(_move, begun=begun, joined=joined, acks=acks))
            self._joined -= joined
            # In a transaction of its own: of an ack and a record at the same moment, at least one sees the other.
            if self._database.write(partial(_deliver_reached, keys=[*begun, *acks])):
                self._outbox.wake()
            self._settle(self._beginning, begun, self._begun)
            self._settle(self._waiting, acks, self._known)

    def _look_again(self) -> None:
        """After the record has been committed: of an ack and a record at the same moment, one sees the other."""
        while self._recorded:
            recorded = self._recorded[:FLUSH_MAX]
            if self._database.write(partial(_deliver, among=Message.id.in_(recorded))):
                self._outbox.wake()
            del self._recorded[: len(recorded)]

    def _settle(self, waiting: dict[Key, int], written: dict[Key, int], remembered: Recent[Key, int]) -> None:
        for key, position in written.items():
            remembered[key] = max(position, remembered.get(key, -1))
            if waiting.get(key) == position:
                del waiting[key]


def _move(tx: Transaction, begun: dict[Key, int], joined: set[Key], acks: dict[Key, int]) -> None:
    """Move the receipts of members forward, never back.

    One that says no more than where a connection began has `delivered` before `first`.
    """
    members = set(
        tx.execute(
            select(Membership.room_id, Membership.user_id).where(
                tuple_(Membership.room_id, Membership.user_id).in_([*begun, *acks])
            )
        ).tuples()
    )
    statement = insert_into(tx, Receipt)
    # A first cursor says nothing of what is older than what stands at it.
    moves = [_row(key, position - 1, position) for key, position in acks.items() if key in members]
    if moves:
        new = statement.excluded
        # The order in which workers write must not matter: where a connection only began so far, later than this
        # ack, the ack was first. A joining is a beginning that no ack moves back.
        only_begun = Receipt.delivered < Receipt.first
        forward = statement.on_conflict_do_update(
            index_elements=["room_id", "user_id"],
            set_={
                "first": case((only_begun & (new.first < Receipt.first), new.first), else_=Receipt.first),
                "delivered": case(
                    (only_begun | (new.delivered > Receipt.delivered), new.delivered), else_=Receipt.delivered
                ),
            },
            where=(new.delivered > Receipt.delivered) | (only_begun & (new.first < Receipt.first)),
        )
        # RETURNING makes SQLAlchemy write many rows by one statement.
        tx.execute(forward.returning(Receipt.room_id), moves)
    begins = [
        _row(key, position, position if key in joined else position - 1)
        for key, position in begun.items()
        if key in members
    ]
    if begins:
        # An ack may have been quicker, here or by way of another worker, and its first cursor lies later.
        earlier = statement.on_conflict_do_update(
            index_elements=["room_id", "user_id"],
            set_={
                "first": statement.excluded.first,
                "delivered": case(
                    (Receipt.delivered < Receipt.first, statement.excluded.delivered), else_=Receipt.delivered
                ),
            },
            where=Receipt.first > statement.excluded.first,
        )
        tx.execute(earlier.returning(Receipt.room_id), begins)


def _deliver_reached(tx: Transaction, keys: list[Key]) -> bool:
    """Make delivered what these receipts reach. True if there was anything."""
    reach = (
        select(Receipt.room_id, func.min(Receipt.first), func.max(Receipt.delivered))
        .where(tuple_(Receipt.room_id, Receipt.user_id).in_(keys))
        .group_by(Receipt.room_id)
    )
    found = [
        _deliver(tx, (Message.room_id == room_id) & (Message.log_id > first) & (Message.log_id <= delivered))
        for room_id, first, delivered in tx.execute(reach).tuples().all()
    ]
    return any(found)


def _row(key: Key, first: int, delivered: int) -> dict[str, int | str]:
    return {"room_id": key[0], "user_id": key[1], "first": first, "delivered": delivered}


def _deliver(tx: Transaction, among: ColumnElement[bool]) -> bool:
    """Make delivered what another member has received, once, and tell the sender in the same transaction."""
    received = exists().where(
        Receipt.room_id == Message.room_id,
        Receipt.user_id != Message.sender_id,
        Receipt.first < Message.log_id,
        Receipt.delivered >= Message.log_id,
    )
    rows = list(
        tx.execute(
            update(Message)
            .where(among, Message.status == MessageStatus.SENT, received)
            .values(status=MessageStatus.DELIVERED)
            .returning(Message.id, Message.room_id, Message.sender_id, Message.log_id)
            .execution_options(synchronize_session=False)
        )
    )
    if not rows:
        return False
    tx.execute(
        insert(EventRow),
        [
            {"type": "message.status", "room_id": room_id, "message_id": id_, "target_id": sender_id}
            for id_, room_id, sender_id, _ in sorted(rows, key=lambda row: row.log_id)
        ],
    )
    return True
