"""What an event says, made from its row in the present state of what it is about."""

from typing import Any

from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from chatapp.event import Cursor
from chatapp.event import Entry
from chatapp.event import Event
from chatapp.models import EventRow
from chatapp.models import Message
from chatapp.models import Receipt
from chatapp.schemas import UserSchema
from chatapp.schemas import message

USER = UserSchema()


def bodies(transaction: Transaction, rows: list[EventRow]) -> list[dict[str, Any]]:
    """The data of each event besides type and cursor, in the order of the rows."""
    status_of = [row.message_id for row in rows if row.type == "message.status" and row.message_id]
    counts = delivered_to(transaction, status_of)
    return [_body(row, counts) for row in rows]


def entries(transaction: Transaction, rows: list[EventRow]) -> list[Entry]:
    """The rows on their way into the log."""
    return [
        Entry(row.number, row.type, row.room_id, body, target=row.target_id, about=row.user_id)
        for row, body in zip(rows, bodies(transaction, rows), strict=True)
    ]


def events(transaction: Transaction, rows: list[EventRow]) -> list[Event]:
    """The rows as events at their cursors; without one where they are not published yet."""
    return [
        Event(
            None if row.log_id is None else Cursor(row.log_id),
            row.type,
            row.room_id,
            body,
            target=row.target_id,
            about=row.user_id,
        )
        for row, body in zip(rows, bodies(transaction, rows), strict=True)
    ]


def delivered_to(transaction: Transaction, message_ids: list[str]) -> dict[str, int]:
    """How many other members each message was delivered to; absent means none."""
    if not message_ids:
        return {}
    query = (
        select(Message.id, func.count())
        .join(Receipt, Receipt.room_id == Message.room_id)
        .where(
            Message.id.in_(message_ids),
            Receipt.user_id != Message.sender_id,
            Receipt.first < Message.log_id,
            Receipt.delivered >= Message.log_id,
        )
        .group_by(Message.id)
    )
    return dict(transaction.execute(query).tuples().all())


def _body(row: EventRow, counts: dict[str, int]) -> dict[str, Any]:
    room = row.room.name
    if row.message is None:
        return {"room": room, "user": USER.dump(row.user)}
    if row.type == "message.status":
        return {
            "room": room,
            "messageId": row.message.id,
            "localId": row.message.local_id,
            "status": row.message.status,
            "deliveredTo": counts.get(row.message.id, 0),
        }
    return {"room": room, "message": message(row.message)}
