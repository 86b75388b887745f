"""A room's past, page by page, in the order of the log."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select
from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from chatapp.eventlog import growth
from chatapp.people import Identity
from chatapp.people import access
from chatapp.storage import EventRow
from chatapp.storage import Message
from chatapp.wire import PACKED_MAX
from chatapp.wire import Cursor
from chatapp.wire import cursor_text
from chatapp.wire import event_types

# Above every cursor that is ever handed out (the year 2109): a page of messages that have none begins there, and the
# number of its first one further.
WAITING = 1 << 62

_Waiting = tuple[int, Message]


@dataclass(frozen=True, slots=True)
class Page:
    """Messages in ascending order, and where the pages beside this one begin."""

    messages: list[Message]
    before: str | None
    after: str | None
    has_more: bool


def message(tx: Transaction, who: Identity, message_id: str) -> Message:
    """One message with all that it says so far. Raises NotFound."""
    found = access.readable_message(tx, who, message_id)
    growth.complete(tx, [found])
    return found


def page(tx: Transaction, room_id: int, before: Cursor | None, after: Cursor | None, limit: int) -> Page:
    """A page of a room by cursor; the newest when neither side is given."""
    found = _found(tx, room_id, before, after, limit)
    growth.complete(tx, found.messages)
    return found


def unpublished(tx: Transaction, room_id: int, limit: int) -> list[Message]:
    """The newest messages without a cursor, at most so many, in the order in which they will get one."""
    found = _unpublished(tx, room_id, limit)
    growth.complete(tx, found)
    return found


def _found(tx: Transaction, room_id: int, before: Cursor | None, after: Cursor | None, limit: int) -> Page:
    query = select(Message).where(Message.room_id == room_id, Message.log_id.is_not(None))
    if before is not None:
        query = query.where(Message.log_id < before.packed)
    if after is not None:
        return _page_after(tx, query.where(Message.log_id > after.packed), room_id, before, after, limit)
    return _page_before(tx, query, room_id, before, limit)


def _page_after(
    tx: Transaction,
    query: Select[Any],
    room_id: int,
    before: Cursor | None,
    after: Cursor,
    limit: int,
) -> Page:
    """The oldest of these; behind the last that has a cursor come those without one."""
    found = list(tx.scalars(query.order_by(Message.log_id).limit(limit + 1)))
    items, has_more = found[:limit], len(found) > limit
    if has_more or before is not None:
        return _page(items, [], before, after, has_more)
    unpublished = _unpublished(tx, room_id, limit)
    room = limit - len(items)
    return _page(items, unpublished[:room], before, after, len(unpublished) > room)


def _page_before(tx: Transaction, query: Select[Any], room_id: int, before: Cursor | None, limit: int) -> Page:
    """The newest of these, and of those without a cursor, which come behind all others."""
    waiting: list[_Waiting] = []
    if before is None or before >= WAITING:
        waiting = _waiting(tx, room_id, limit + 1, PACKED_MAX if before is None else before.packed - WAITING)
        if len(waiting) > limit:
            del waiting[0]
            return Page([one for _, one in waiting], str(Cursor(WAITING + waiting[0][0])), None, True)
    room = limit - len(waiting)
    found = list(tx.scalars(query.order_by(Message.log_id.desc()).limit(room + 1)))
    items, has_more = found[:room][::-1], len(found) > room
    unpublished = [one for _, one in waiting]
    if has_more and not items:
        # The page is full of what has no cursor: the page before it ends with the newest that has one.
        return Page(unpublished, str(Cursor((found[0].log_id or 0) + 1)), None, True)
    return _page(items, unpublished, before, None, has_more)


def _page(
    items: list[Message], unpublished: list[Message], before: Cursor | None, after: Cursor | None, has_more: bool
) -> Page:
    """If no item has a cursor, the pages beside this one begin where it was asked for."""
    return Page(
        [*items, *unpublished],
        before=cursor_text(items[0].log_id if items else before),
        after=cursor_text(items[-1].log_id if items else after),
        has_more=has_more,
    )


def _unpublished(tx: Transaction, room_id: int, limit: int) -> list[Message]:
    """The newest messages without a cursor, in the order in which they will get one."""
    return [one for _, one in _waiting(tx, room_id, limit, PACKED_MAX)]


def _waiting(tx: Transaction, room_id: int, limit: int, before: int) -> list[_Waiting]:
    """The same of those whose events have a number below `before`."""
    query = (
        select(EventRow.number, Message)
        .join(Message, EventRow.message_id == Message.id)
        .where(
            # Of the room's own, by its index: however many wait elsewhere.
            EventRow.room_id == room_id,
            EventRow.log_id.is_(None),
            EventRow.type == event_types.MESSAGE_CREATED,
            EventRow.number < before,
            Message.log_id.is_(None),
        )
        .order_by(EventRow.number.desc())
        .limit(limit)
    )
    return [(number, message) for number, message in tx.execute(query)][::-1]
