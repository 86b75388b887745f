"""`Committer`: commits all sends that wait in this worker in one transaction."""

import logging
from collections import deque
from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from functools import partial
from typing import Any
from typing import cast

from gevent.event import AsyncResult
from sqlalchemy import Connection
from sqlalchemy import Table
from sqlalchemy import bindparam
from sqlalchemy import exists
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import tuple_
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from chatapp import schemas
from chatapp.background import Loop
from chatapp.database import Database
from chatapp.errors import Unavailable
from chatapp.event import Entry
from chatapp.event import utc_now
from chatapp.models import EventRow
from chatapp.models import Membership
from chatapp.models import Message
from chatapp.models import MessageStatus
from chatapp.models import content_hash
from chatapp.models import uuid7
from chatapp.positions import UNRECORDED_MAX

log = logging.getLogger(__name__)

# Large enough that one fsync serves many, small enough to stay a short transaction.
BATCH_MAX = 100
# Waiting sends beyond this would not be answered in time on a slow disk.
QUEUE_MAX = 2000
# A send is answered within 10 s: this much of it may go by here.
ANSWER_TIMEOUT_S = 5.5

# Every send passes here: statements on tables, built once, cost a tenth of those that are built for each batch.
_MESSAGES, _EVENTS = cast(Table, Message.__table__), cast(Table, EventRow.__table__)
_COLUMNS = ["id", "room_id", "sender_id", "local_id", "content_hash", "body", "status", "created_at"]
# Only of a member: whoever was removed since the send was admitted inserts nothing.
_OF_MEMBER = select(*[bindparam(name, type_=_MESSAGES.c[name].type) for name in _COLUMNS]).where(
    exists().where(Membership.room_id == bindparam("room_id"), Membership.user_id == bindparam("sender_id"))
)
INSERT_MESSAGE = {
    dialect: insert_(_MESSAGES)
    .from_select(_COLUMNS, _OF_MEMBER)
    .on_conflict_do_nothing(index_elements=["sender_id", "local_id"])
    for dialect, insert_ in (("sqlite", sqlite_insert), ("postgresql", postgresql_insert))
}
INSERT_EVENT = insert(_EVENTS).values(
    type="message.created", room_id=bindparam("room_id"), message_id=bindparam("message_id")
)
INSERTED = select(_MESSAGES.c.id).where(_MESSAGES.c.id.in_(bindparam("ids", expanding=True)))
UNPUBLISHED = (
    select(_EVENTS.c.number, _EVENTS.c.message_id, _EVENTS.c.type)
    .where(_EVENTS.c.log_id.is_(None))
    .order_by(_EVENTS.c.number)
    .limit(UNRECORDED_MAX)
)
CREATED = select(_EVENTS.c.number, _EVENTS.c.message_id, _EVENTS.c.type).where(
    _EVENTS.c.message_id.in_(bindparam("ids", expanding=True))
)

Key = tuple[str, str]


class NotMember(Exception):
    """The sender does not belong to the room, or no longer."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A message as it is to be stored."""

    room_id: int
    room: str
    sender_id: str
    sender_name: str
    local_id: str
    body: str

    @property
    def key(self) -> Key:
        return self.sender_id, self.local_id

    @property
    def content_hash(self) -> str:
        return content_hash(self.room, self.body)


@dataclass(slots=True)
class Committed:
    """What stands in the database now: the message as the wire shows it, and what a reuse of its localId is
    judged by. `number` is the event's row, None if the message was there before."""

    document: dict[str, Any]
    content_hash: str
    room_id: int
    number: int | None = None

    @classmethod
    def before(cls, message: Message) -> "Committed":
        """A message that was accepted earlier."""
        return cls(schemas.message(message), message.content_hash, message.room_id)


@dataclass(slots=True)
class _Waiting:
    draft: Draft
    result: "AsyncResult[Committed]" = field(default_factory=AsyncResult)


@dataclass(frozen=True, slots=True)
class _Stored:
    """Of one transaction: what came of each draft, the new messages on their way into the log, and the numbers
    of all rows that waited to be published when it ended."""

    outcomes: list[Committed | NotMember]
    entries: list[Entry]
    unpublished: frozenset[int]


class Committer:
    """Group commit: while one transaction is written, the next gathers."""

    def __init__(self, database: Database, publish: Callable[[list[Entry], frozenset[int]], None]) -> None:
        self._database = database
        # Called after each commit, with the new entries and the numbers of all rows that waited to be published.
        self._publish = publish
        self._queue: deque[_Waiting] = deque()
        self._loop = Loop("committer", self._commit_waiting, interval_s=60.0)

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    def commit(self, draft: Draft) -> Committed:
        """Store the message unless its localId is taken. Raises NotMember, and Unavailable: the outcome is open."""
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
                self._write(batch)
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
                self._write([waiting])
            except Exception as error:
                if not isinstance(error, Unavailable):
                    log.error("the database refuses a message", exc_info=error)
                self._look_up([waiting], error)

    def _look_up(self, batch: list[_Waiting], error: Exception) -> None:
        """The outcome of the commit is unknown: what stands in the database was stored."""
        try:
            stored = self._database.read(lambda tx: _before(tx.connection(), [one.draft.key for one in batch]))
        except Exception:
            stored = {}
        for waiting in batch:
            if waiting.draft.key in stored:
                waiting.result.set(stored[waiting.draft.key])
            else:
                waiting.result.set_exception(error)

    def _write(self, batch: list[_Waiting]) -> None:
        stored = self._database.write_rows(partial(_store, drafts=[one.draft for one in batch]))
        self._publish(stored.entries, stored.unpublished)
        for waiting, outcome in zip(batch, stored.outcomes, strict=True):
            if isinstance(outcome, NotMember):
                waiting.result.set_exception(outcome)
            else:
                waiting.result.set(outcome)

    def _fail(self, batch: list[_Waiting], error: Exception) -> None:
        for waiting in batch:
            waiting.result.set_exception(error)
        raise error


def _store(connection: Connection, drafts: list[Draft]) -> _Stored:
    """Insert what is new, with its event; the unique (sender, localId) is the judge.

    Messages go in sorted, so that two workers lock in the same order; events in order of arrival.
    """
    firsts = {draft.key: draft for draft in reversed(drafts)}
    rows = {key: _row(firsts[key]) for key in sorted(firsts)}
    new = _insert(connection, rows)
    known = _before(connection, rows.keys() - new)
    # Of two copies in one batch, the first is the new message and the second its replay.
    arrived = [key for key in dict.fromkeys(draft.key for draft in drafts) if key in new]
    numbers, unpublished = _insert_events(connection, [rows[key] for key in arrived])
    entries: list[Entry] = []
    committed: dict[Key, Committed] = {}
    for key in arrived:
        draft, row = firsts[key], rows[key]
        document = schemas.new_message(
            id_=row["id"],
            local_id=draft.local_id,
            room=draft.room,
            sender_id=draft.sender_id,
            sender_name=draft.sender_name,
            body=draft.body,
            created_at=row["created_at"],
        )
        number = numbers[row["id"]]
        committed[key] = Committed(document, row["content_hash"], draft.room_id, number)
        entries.append(Entry(number, "message.created", draft.room_id, {"room": draft.room, "message": {**document}}))
    outcomes: list[Committed | NotMember] = []
    for key in (draft.key for draft in drafts):
        first = committed.pop(key, None)
        if first is not None:
            known[key] = Committed(first.document, first.content_hash, first.room_id)
        outcomes.append(first or known.get(key) or NotMember())
    return _Stored(outcomes, entries, unpublished)


def _insert(connection: Connection, rows: dict[Key, dict[str, Any]]) -> set[Key]:
    """Insert messages of members. Returns the keys of those that were not there before."""
    inserted = connection.execute(INSERT_MESSAGE[connection.dialect.name], list(rows.values())).rowcount
    if inserted == len(rows):
        return set(rows)
    keys = {row["id"]: key for key, row in rows.items()}
    return {keys[id_] for id_ in connection.scalars(INSERTED, {"ids": list(keys)})}


def _insert_events(connection: Connection, rows: list[dict[str, Any]]) -> tuple[dict[str, int], frozenset[int]]:
    """Insert an event for each of these messages. Returns its number by message id, and all unpublished numbers."""
    if rows:
        connection.execute(INSERT_EVENT, [{"room_id": row["room_id"], "message_id": row["id"]} for row in rows])
    found = connection.execute(UNPUBLISHED).tuples().all()
    unpublished = frozenset(number for number, _, _ in found)
    if len(found) == UNRECORDED_MAX:
        found = connection.execute(CREATED, {"ids": [row["id"] for row in rows]}).tuples().all()
    return {id_: number for number, id_, type_ in found if type_ == "message.created"}, unpublished


def _row(draft: Draft) -> dict[str, Any]:
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


def _before(connection: Connection, keys: Iterable[Key]) -> dict[Key, Committed]:
    """Those that stand in the database."""
    asked = list(keys)
    if not asked:
        return {}
    query = select(Message).where(tuple_(Message.sender_id, Message.local_id).in_(asked))
    with Session(connection) as session:
        return {(one.sender_id, one.local_id): Committed.before(one) for one in session.scalars(query)}
