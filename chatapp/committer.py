"""`Committer`: commits all sends that wait in this worker in one transaction."""

import logging
from collections import deque
from dataclasses import dataclass
from dataclasses import field
from functools import partial

from gevent.event import AsyncResult
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import tuple_
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session as Transaction

from chatapp.background import Loop
from chatapp.database import Database
from chatapp.database import insert_into
from chatapp.errors import Unavailable
from chatapp.event import utc_now
from chatapp.models import EventRow
from chatapp.models import Message
from chatapp.models import MessageStatus
from chatapp.models import content_hash
from chatapp.models import uuid7

log = logging.getLogger(__name__)

# Large enough that one fsync serves many, small enough to stay a short transaction.
BATCH_MAX = 100
# Waiting sends beyond this would not be answered in time on a slow disk.
QUEUE_MAX = 2000
# A send is answered within 10 s: this much of it may go by here.
ANSWER_TIMEOUT_S = 5.5


@dataclass(frozen=True, slots=True)
class Draft:
    """A message as it is to be stored."""

    room_id: int
    room: str
    sender_id: str
    local_id: str
    body: str

    @property
    def content_hash(self) -> str:
        return content_hash(self.room, self.body)


@dataclass(frozen=True, slots=True)
class Committed:
    """What stands in the database now. `number` is the event's row, None if the message was there before."""

    message: Message
    number: int | None


@dataclass(slots=True)
class _Waiting:
    draft: Draft
    result: "AsyncResult[Committed]" = field(default_factory=AsyncResult)


class Committer:
    """Group commit: while one transaction is written, the next gathers."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queue: deque[_Waiting] = deque()
        self._loop = Loop("committer", self._commit_waiting, interval_s=60.0)

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    def commit(self, draft: Draft) -> Committed:
        """Store the message unless its localId is taken. Raises Unavailable: the outcome is then open."""
        if len(self._queue) >= QUEUE_MAX:
            raise Unavailable("too many messages are waiting to be stored", retry_after_s=2.0)
        waiting = _Waiting(draft)
        self._queue.append(waiting)
        self._loop.wake()
        waiting.result.wait(timeout=ANSWER_TIMEOUT_S)
        if not waiting.result.ready():
            raise Unavailable("the message could not be stored in time")
        committed = waiting.result.get()
        assert committed is not None
        return committed

    def _commit_waiting(self) -> None:
        while self._queue:
            batch = [self._queue.popleft() for _ in range(min(BATCH_MAX, len(self._queue)))]
            try:
                self._answer(batch, self._database.write(partial(_store, batch=batch)))
            except Unavailable as error:
                self._look_up(batch, error)
            except SQLAlchemyError:
                self._one_by_one(batch)
            except Exception as error:
                self._fail(batch, error)

    def _one_by_one(self, batch: list[_Waiting]) -> None:
        """One row that the database refuses must not take the others with it."""
        for waiting in batch:
            try:
                self._answer([waiting], self._database.write(partial(_store, batch=[waiting])))
            except Exception as error:
                if not isinstance(error, Unavailable):
                    log.error("the database refuses a message", exc_info=error)
                self._look_up([waiting], error)

    def _look_up(self, batch: list[_Waiting], error: Exception) -> None:
        """The outcome of the commit is unknown: what stands in the database was stored."""
        try:
            stored = self._database.read(lambda tx: _find(tx, [one.draft for one in batch]))
        except Exception:
            stored = {}
        for waiting in batch:
            message = stored.get((waiting.draft.sender_id, waiting.draft.local_id))
            if message is None:
                waiting.result.set_exception(error)
            else:
                waiting.result.set(Committed(message, None))

    def _answer(self, batch: list[_Waiting], committed: list[Committed]) -> None:
        for waiting, outcome in zip(batch, committed, strict=True):
            waiting.result.set(outcome)

    def _fail(self, batch: list[_Waiting], error: Exception) -> None:
        for waiting in batch:
            waiting.result.set_exception(error)
        raise error


def _store(tx: Transaction, batch: list[_Waiting]) -> list[Committed]:
    """Insert what is new, with its event; the unique (sender, localId) is the judge.

    Messages go in sorted, so that two workers lock in the same order; events in order of arrival.
    """
    drafts = {(one.draft.sender_id, one.draft.local_id): one.draft for one in reversed(batch)}
    rows = [_row(drafts[key]) for key in sorted(drafts)]
    statement = insert_into(tx, Message)
    inserted = set(
        tx.scalars(
            statement.on_conflict_do_nothing(index_elements=["sender_id", "local_id"]).returning(Message.id),
            rows,
        )
    )
    new = {(row["sender_id"], row["local_id"]): row["id"] for row in rows if row["id"] in inserted}
    arrived = [key for key in dict.fromkeys(map(_key, batch)) if key in new]
    numbers: dict[tuple[str, str], int] = {}
    if arrived:
        events = [
            {"type": "message.created", "room_id": drafts[key].room_id, "message_id": new[key]} for key in arrived
        ]
        statement_ = insert(EventRow).returning(EventRow.number, sort_by_parameter_order=True)
        numbers = dict(zip(arrived, tx.scalars(statement_, events), strict=True))
    messages = _find(tx, list(drafts.values()))
    answered: set[tuple[str, str]] = set()
    outcomes = []
    for key in map(_key, batch):
        # Of two copies in one batch, the first is the new message and the second its replay.
        outcomes.append(Committed(messages[key], None if key in answered else numbers.get(key)))
        answered.add(key)
    return outcomes


def _key(waiting: _Waiting) -> tuple[str, str]:
    return waiting.draft.sender_id, waiting.draft.local_id


def _row(draft: Draft) -> dict[str, object]:
    return {
        "id": uuid7(),
        "room_id": draft.room_id,
        "sender_id": draft.sender_id,
        "local_id": draft.local_id,
        "content_hash": draft.content_hash,
        "body": draft.body,
        "status": MessageStatus.SENT,
        "created_at": utc_now(),
    }


def _find(tx: Transaction, drafts: list[Draft]) -> dict[tuple[str, str], Message]:
    keys = [(draft.sender_id, draft.local_id) for draft in drafts]
    found = tx.scalars(select(Message).where(tuple_(Message.sender_id, Message.local_id).in_(keys)))
    return {(message.sender_id, message.local_id): message for message in found}
