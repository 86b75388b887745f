"""A room's past, page by page, in the order of the log."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from chatapp.event import Cursor
from chatapp.models import EventRow
from chatapp.models import Message


@dataclass(frozen=True, slots=True)
class Page:
    """Messages in ascending order, and where the pages beside this one begin."""

    messages: list[Message]
    before: str | None
    after: str | None
    has_more: bool


def page(tx: Transaction, room_id: int, before: Cursor | None, after: Cursor | None, limit: int) -> Page:
    """A page of a room by cursor; the newest when neither side is given."""
    query = select(Message).where(Message.room_id == room_id, Message.log_id.is_not(None))
    if before is not None:
        query = query.where(Message.log_id < before.packed)
    if after is not None:
        query = query.where(Message.log_id > after.packed)
        found = list(tx.scalars(query.order_by(Message.log_id).limit(limit + 1)))
        items, has_more = found[:limit], len(found) > limit
    else:
        found = list(tx.scalars(query.order_by(Message.log_id.desc()).limit(limit + 1)))
        items, has_more = found[:limit][::-1], len(found) > limit
    unpublished: list[Message] = []
    if before is None and not (after is not None and has_more):
        unpublished = _unpublished(tx, room_id, limit)
        if after is None:
            surplus = max(0, len(items) + len(unpublished) - limit)
            has_more = has_more or surplus > 0
            if surplus and surplus == len(items):
                # The page is full of what has no cursor: the page before it ends with the newest that has one.
                return Page(unpublished, str(Cursor((items[-1].log_id or 0) + 1)), None, has_more)
            items = items[surplus:]
        else:
            has_more = len(items) + len(unpublished) > limit
            unpublished = unpublished[: limit - len(items)]
    return Page(
        [*items, *unpublished],
        before=str(Cursor(items[0].log_id or 0)) if items else None if before is None else str(before),
        after=str(Cursor(items[-1].log_id or 0)) if items else None if after is None else str(after),
        has_more=has_more,
    )


def _unpublished(tx: Transaction, room_id: int, limit: int) -> list[Message]:
    """The newest messages without a cursor, in the order in which they will get one."""
    query = (
        select(Message)
        .join(EventRow, (EventRow.message_id == Message.id) & (EventRow.type == "message.created"))
        .where(Message.room_id == room_id, Message.log_id.is_(None), EventRow.log_id.is_(None))
        .order_by(EventRow.number.desc())
        .limit(limit)
    )
    return list(tx.scalars(query))[::-1]
