"""`Committer`: commits all sends that wait in this worker in one transaction."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from typing import cast

from sqlalchemy import Table
from sqlalchemy import bindparam
from sqlalchemy import exists
from sqlalchemy import insert
from sqlalchemy import literal
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session as Transaction

from chatapp import metrics
from chatapp.errors import Unavailable
from chatapp.eventlog import UNRECORDED_MAX
from chatapp.eventlog import Waiting
from chatapp.eventlog import growth
from chatapp.eventlog import kept_log
from chatapp.runtime import Gather
from chatapp.runtime import pause_s
from chatapp.runtime import utc_now
from chatapp.storage import Database
from chatapp.storage import EventRow
from chatapp.storage import Growth
from chatapp.storage import Membership
from chatapp.storage import Message
from chatapp.storage import MessageStatus
from chatapp.storage import Prepared
from chatapp.storage import Room
from chatapp.storage import Rows
from chatapp.storage import ago
from chatapp.storage import inserted_if
from chatapp.storage import one_of
from chatapp.storage import rows_within
from chatapp.storage import uuid7
from chatapp.wire import Content
from chatapp.wire import Entry
from chatapp.wire import content
from chatapp.wire import event_types
from chatapp.wire import message_document

log = logging.getLogger(__name__)

# Large enough that one fsync serves many, small enough to stay a short transaction.
BATCH_MAX = 100
# Waiting sends beyond this would not be answered in time on a slow disk.
QUEUE_MAX = 2000
# Of several workers each sees a part of the sends: what comes at the same time gathers a little longer, so that a
# transaction, and what follows it in all workers, serves as many as with one worker.
PAUSE_S = 0.008
PAUSE_MAX_S = 0.025
# A send is answered within 10 s: this much of it may go by here.
ANSWER_TIMEOUT_S = 5.5


# Every send passes here: statements on tables, built once, cost a tenth of those that are built for each batch.
_MESSAGES, _EVENTS, _GROWTHS = (cast(Table, model.__table__) for model in (Message, EventRow, Growth))
_COLUMNS = ["id", "room_id", "sender_id", "local_id", "content_hash", "body", "data", "growing", "status", "created_at"]
# Only of a member: whoever was removed since the send was admitted inserts nothing, nor does anybody in a deleted room.
_OF_MEMBER = exists().where(
    Membership.room_id == bindparam("room_id"),
    Membership.user_id == bindparam("sender_id"),
    Room.id == Membership.room_id,
    Room.deleted_at.is_(None),
)
INSERT_MESSAGE = inserted_if(
    _MESSAGES,
    _COLUMNS,
    _OF_MEMBER,
    lambda new: new.on_conflict_do_nothing(index_elements=["sender_id", "local_id"]),
)
# Of a message that has just been inserted: nobody else knows its id.
INSERT_EVENT = Prepared(
    insert(_EVENTS).from_select(
        ["type", "room_id", "message_id"],
        select(literal(event_types.MESSAGE_CREATED), _MESSAGES.c.room_id, _MESSAGES.c.id).where(
            _MESSAGES.c.id == bindparam("message_id")
        ),
        include_defaults=False,
    )
)
# Of a message that has just been inserted, too.
_GROWTH = ["message_id", "room_id", "sender_id", "room", "session_id", "length", "appended_at"]
INSERT_GROWTH = Prepared(
    insert(_GROWTHS).from_select(
        _GROWTH,
        select(
            *(_MESSAGES.c.id, _MESSAGES.c.room_id, _MESSAGES.c.sender_id),
            *(bindparam(name, type_=_GROWTHS.c[name].type) for name in _GROWTH[3:-1]),
            ago(),
        ).where(_MESSAGES.c.id == bindparam("message")),
    )
)
STORED = Prepared(
    select(_MESSAGES.c.id).where(
        _MESSAGES.c.sender_id == bindparam("sender"), _MESSAGES.c.local_id == bindparam("local")
    )
)
CREATED = Prepared(
    select(_EVENTS.c.number, _EVENTS.c.message_id).where(
        _EVENTS.c.message_id == bindparam("message_id"), _EVENTS.c.type == event_types.MESSAGE_CREATED
    )
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
    session_id: str
    local_id: str
    content: Content

    @property
    def key(self) -> Key:
        return self.sender_id, self.local_id


@dataclass(slots=True)
class Committed:
    """What stands in the database now: the message as the wire shows it, and what a reuse of its localId is
    judged by. `new`: it was not there before."""

    document: dict[str, Any]
    content_hash: str
    room_id: int
    new: bool = False

    @classmethod
    def before(cls, message: Message) -> "Committed":
        """A message that was accepted earlier."""
        return cls(message_document.of(message), message.content_hash, message.room_id)


@dataclass(frozen=True, slots=True)
class _Written:
    """What one transaction wrote: the new messages, by their keys and on their way into the log; and the rows that
    waited to be published when it ended, these among them."""

    committed: dict[Key, Committed]
    entries: list[Entry]
    waiting: list[Waiting]


class Committer:
    """Group commit: while one transaction is written, the next gathers."""

    def __init__(
        self, database: Database, publish: Callable[[list[Entry], list[Waiting]], None], *, workers: int = 1
    ) -> None:
        self._database = database
        # Called after each commit, with the new entries and the rows that waited to be published.
        self._publish = publish
        self._gather = Gather(
            self._commit_all,
            most=BATCH_MAX,
            timeout_s=ANSWER_TIMEOUT_S,
            pause_s=pause_s(workers, each_s=PAUSE_S, most_s=PAUSE_MAX_S),
        )

    def commit(self, draft: Draft) -> Committed:
        """Store the message unless its localId is taken. Raises NotMember, and Unavailable: the outcome is open."""
        if len(self._gather) >= QUEUE_MAX:
            raise Unavailable("too many messages are waiting to be stored", retry_after_s=2.0)
        try:
            return self._gather.ask(draft)
        except TimeoutError:
            raise Unavailable("the message could not be stored in time") from None

    def _commit_all(self, drafts: list[Draft]) -> list[Committed | Exception]:
        try:
            return self._write(drafts)
        except Unavailable as error:
            return self._look_up(drafts, error)
        except SQLAlchemyError:
            # One row that the database refuses must not take the others with it.
            return [self._commit_one(draft) for draft in drafts]

    def _commit_one(self, draft: Draft) -> Committed | Exception:
        try:
            [outcome] = self._write([draft])
        except Exception as error:
            if not isinstance(error, Unavailable):
                log.error("the database refuses a message", exc_info=error)
            [outcome] = self._look_up([draft], error)
        return outcome

    def _write(self, drafts: list[Draft]) -> list[Committed | Exception]:
        written = self._database.write_rows(partial(_write, drafts=drafts))
        self._publish(written.entries, written.waiting)
        metrics.commit_rows.observe(len(written.entries))
        # Of two copies in one batch, the first is the new message and the second its replay.
        outcomes: list[Committed | Exception | None] = [written.committed.pop(draft.key, None) for draft in drafts]
        repeated = [draft for draft, outcome in zip(drafts, outcomes, strict=True) if outcome is None]
        found = iter(self._look_up(repeated, NotMember()) if repeated else ())
        return [next(found) if outcome is None else outcome for outcome in outcomes]

    def _look_up(self, drafts: list[Draft], error: Exception) -> list[Committed | Exception]:
        """What stands in the database was stored; for the others the outcome is `error`."""
        try:
            stored = self._database.read(lambda tx: _stored(tx, {draft.key for draft in drafts}))
        except Exception as failed:
            return [failed] * len(drafts)
        return [stored.get(draft.key, error) for draft in drafts]


def _write(rows: Rows, drafts: list[Draft]) -> _Written:
    """Insert what is new, with its event; the unique (sender, localId) is the judge.

    Messages go in sorted, so that two workers lock in the same order; events in order of arrival.
    """
    firsts = {draft.key: draft for draft in reversed(drafts)}
    messages = {key: _row(firsts[key]) for key in sorted(firsts)}
    arrived = [messages[key] for key in dict.fromkeys(draft.key for draft in drafts)]
    rows.run(INSERT_MESSAGE, list(messages.values()))
    rows.run(INSERT_EVENT, [{"message_id": row["id"]} for row in arrived])
    growths = [_growth(messages[key]["id"], draft) for key, draft in firsts.items() if draft.content.growing]
    if growths:
        rows.run(INSERT_GROWTH, growths)
    waiting = kept_log.first_waiting(rows)
    numbers = _numbers(rows, arrived, waiting)
    entries: list[Entry] = []
    committed: dict[Key, Committed] = {}
    for row in arrived:
        number = numbers.get(row["id"])
        if number is None:
            # It was there before, or its sender is no member.
            continue
        key = row["sender_id"], row["local_id"]
        draft = firsts[key]
        document = message_document.make(
            id_=row["id"],
            local_id=draft.local_id,
            room=draft.room,
            sender_id=draft.sender_id,
            sender_name=draft.sender_name,
            body=draft.content.body,
            data=draft.content.data,
            created_at=row["created_at"],
            growing=draft.content.growing,
        )
        committed[key] = Committed(document, row["content_hash"], draft.room_id, new=True)
        body = {"room": draft.room, "message": {**document}}
        entries.append(Entry(number, row["id"], event_types.MESSAGE_CREATED, draft.room_id, body))
    return _Written(committed, entries, waiting)


def _numbers(rows: Rows, messages: list[dict[str, Any]], waiting: list[Waiting]) -> dict[str, int]:
    """The numbers of the events of those that are new, by message id."""
    if len(waiting) < UNRECORDED_MAX:
        return {
            one.message_id: one.number for one in waiting if one.message_id and one.type == event_types.MESSAGE_CREATED
        }
    created = rows.ask_each(CREATED, [{"message_id": one["id"]} for one in messages])
    return {id_: number for found in created for number, id_ in found}


def _row(draft: Draft) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "room_id": draft.room_id,
        "sender_id": draft.sender_id,
        "local_id": draft.local_id,
        "content_hash": draft.content.hash_in(draft.room),
        "body": draft.content.body,
        "data": content.written(draft.content.data),
        "growing": draft.content.growing,
        "status": MessageStatus.SENT,
        "created_at": utc_now(),
    }


def _growth(message_id: str, draft: Draft) -> dict[str, Any]:
    return {
        "message": message_id,
        "room": draft.room,
        "session_id": draft.session_id,
        "length": len(draft.content.body),
    }


def _stored(tx: Transaction, keys: set[Key]) -> dict[Key, Committed]:
    """Those that stand in the database."""
    # Key by key: for a list of pairs SQLite reads the whole table.
    found = rows_within(tx).ask_each(STORED, [{"sender": sender, "local": local_id} for sender, local_id in keys])
    query = select(Message).where(one_of(tx, Message.id, [id_ for rows in found for (id_,) in rows]))
    messages = list(tx.scalars(query))
    growth.complete(tx, messages)
    return {(one.sender_id, one.local_id): Committed.before(one) for one in messages}
