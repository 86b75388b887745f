"""What an event says, made from its row in the present state of what it is about."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from typing import NamedTuple
from typing import cast

from sqlalchemy import FromClause
from sqlalchemy import Select
from sqlalchemy import Table
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from chatapp.storage import Message
from chatapp.storage import Receipt
from chatapp.storage import Room
from chatapp.storage import User
from chatapp.wire import Cursor
from chatapp.wire import Entry
from chatapp.wire import Event
from chatapp.wire import documents

_ROOMS, _MESSAGES, _USERS = (cast(Table, model.__table__) for model in (Room, Message, User))


class Kept(NamedTuple):
    """A row of the kept log with all that its event says, in the order of the columns of `told`.

    `about` is the user who joined or left, `target` the only one who may see it.
    """

    number: int
    room_id: int
    room_name: str
    type: str
    about: str | None
    about_name: str | None
    target: str | None
    log_id: int | None
    message_id: str | None
    local_id: str
    sender_id: str
    sender_name: str
    body: str
    created_at: datetime
    status: str
    message_log_id: int | None
    edited_at: datetime | None
    deleted_at: datetime | None


def told(rows: FromClause) -> Select[Any]:
    """The query for all of `Kept`, of these rows of `events`.

    What the rows are about is looked up row by row, after they were chosen: nothing here reads more than they need.
    """
    sender, about = _USERS.alias("sender"), _USERS.alias("about")
    event, message = rows.c, _MESSAGES.c
    return select(
        *(event.number, event.room_id, _ROOMS.c.name, event.type, event.user_id, about.c.name, event.target_id),
        *(event.log_id, event.message_id, message.local_id, message.sender_id, sender.c.name, message.body),
        *(message.created_at, message.status, message.log_id, message.edited_at, message.deleted_at),
    ).select_from(
        rows.join(_ROOMS, _ROOMS.c.id == event.room_id)
        .outerjoin(_MESSAGES, message.id == event.message_id)
        .outerjoin(sender, sender.c.id == message.sender_id)
        .outerjoin(about, about.c.id == event.user_id)
    )


def ask(transaction: Transaction, query: Select[Any], **parameters: Any) -> list[Kept]:
    """The rows that a query made by `told` finds."""
    return [Kept._make(row) for row in transaction.connection().execute(query, parameters)]


def entries(transaction: Transaction, rows: Sequence[Kept]) -> list[Entry]:
    """The rows on their way into the log."""
    return [
        Entry(row.number, row.type, row.room_id, body, target=row.target, about=row.about)
        for row, body in zip(rows, _bodies(transaction, rows), strict=True)
    ]


def events(transaction: Transaction, rows: Sequence[Kept]) -> list[Event]:
    """The rows as events at their cursors; without one where they are not published yet."""
    return [
        Event(
            None if row.log_id is None else Cursor(row.log_id),
            row.type,
            row.room_id,
            body,
            target=row.target,
            about=row.about,
        )
        for row, body in zip(rows, _bodies(transaction, rows), strict=True)
    ]


def delivered_to(transaction: Transaction, message_ids: Sequence[str]) -> dict[str, int]:
    """How many other members each message was delivered to; absent means none."""
    if not message_ids:
        return {}
    query = (
        select(Message.id, func.count(Receipt.user_id.distinct()))
        .join(Receipt, Receipt.room_id == Message.room_id)
        .where(
            Message.id.in_(message_ids),
            Receipt.user_id != Message.sender_id,
            Receipt.first < Message.log_id,
            Receipt.delivered >= Message.log_id,
        )
        .group_by(Message.id)
    )
    return dict(transaction.execute(query).all())


def _bodies(transaction: Transaction, rows: Sequence[Kept]) -> list[dict[str, Any]]:
    """The data of each event besides type and cursor."""
    counts = delivered_to(
        transaction, [row.message_id for row in rows if row.type == "message.status" and row.message_id]
    )
    return [_body(row, counts) for row in rows]


def _body(row: Kept, counts: dict[str, int]) -> dict[str, Any]:
    if row.message_id is None:
        return {"room": row.room_name, "user": {"id": row.about, "name": row.about_name}}
    if row.type == "message.status":
        return {
            "room": row.room_name,
            "messageId": row.message_id,
            "localId": row.local_id,
            "status": row.status,
            "deliveredTo": counts.get(row.message_id, 0),
        }
    message = documents.message_document(
        id_=row.message_id,
        local_id=row.local_id,
        room=row.room_name,
        sender_id=row.sender_id,
        sender_name=row.sender_name,
        body=row.body,
        created_at=row.created_at,
        status=row.status,
        log_id=row.message_log_id,
        edited_at=row.edited_at,
        deleted_at=row.deleted_at,
    )
    return {"room": row.room_name, "message": message}
