"""What an event says, made from its row and the present state of what it is about."""

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

from chatapp.eventlog import growth
from chatapp.eventlog.delivered_counts import delivered_to
from chatapp.eventlog.uid import uid
from chatapp.storage import Message
from chatapp.storage import Prepared
from chatapp.storage import Room
from chatapp.storage import Rows
from chatapp.storage import User
from chatapp.wire import Cursor
from chatapp.wire import Entry
from chatapp.wire import Event
from chatapp.wire import event_types
from chatapp.wire import message_document

_ROOMS, _MESSAGES, _USERS = (cast(Table, model.__table__) for model in (Room, Message, User))


# A deleted room's name is free again.
ROOM_NAME = func.coalesce(_ROOMS.c.former_name, _ROOMS.c.name)


class Kept(NamedTuple):
    """A row of the kept log with all that its event says, in the order of the columns of `told`.

    `about` is the user who joined or left, `target` the only one who may see it.
    """

    number: int
    uid: str
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
    data: str | None
    created_at: str | datetime
    status: str
    message_log_id: int | None
    edited_at: str | datetime | None
    deleted_at: str | datetime | None
    title: str | None
    owner_id: str | None
    growing: bool | None


class Besides(NamedTuple):
    """What some events say besides what stands in their rows, by message: to how many others it was delivered, and what
    was added to one that grows."""

    counts: dict[str, int]
    added: dict[str, str]


def told(rows: FromClause) -> Select[Any]:
    """The query for all columns of `Kept`, for these rows of `events`.

    What the rows are about is looked up row by row, after they were chosen: nothing here reads more than they need.
    """
    sender, about = _USERS.alias("sender"), _USERS.alias("about")
    event, columns = rows.c, _MESSAGES.c
    return select(
        *(event.number, uid(rows), event.room_id, ROOM_NAME, event.type, event.user_id, about.c.name, event.target_id),
        *(event.log_id, event.message_id, columns.local_id, columns.sender_id, sender.c.name, columns.body),
        columns.data,
        *(columns.created_at, columns.status, columns.log_id, columns.edited_at, columns.deleted_at),
        *(_ROOMS.c.title, _ROOMS.c.owner_id, columns.growing),
    ).select_from(
        rows.join(_ROOMS, _ROOMS.c.id == event.room_id)
        .outerjoin(_MESSAGES, columns.id == event.message_id)
        .outerjoin(sender, sender.c.id == columns.sender_id)
        .outerjoin(about, about.c.id == event.user_id)
    )


def ask(rows: Rows, query: Prepared, **parameters: Any) -> list[Kept]:
    """The rows that a query made by `told` finds."""
    return [Kept._make(row) for row in rows.ask(query, parameters)]


def entries(rows: Rows, kept: Sequence[Kept]) -> list[Entry]:
    """The rows on their way into the log."""
    more = besides(rows, kept)
    return [
        Entry(row.number, row.uid, row.type, row.room_id, _body(row, more), target=row.target, about=row.about)
        for row in kept
    ]


def event(row: Kept, place: int | None, more: Besides) -> Event:
    """The row as an event at its place in the log; one that is not published yet has none."""
    cursor = None if place is None else Cursor(place)
    return Event(cursor, row.type, row.room_id, _body(row, more), target=row.target, about=row.about)


def besides(rows: Rows, kept: Sequence[Kept]) -> Besides:
    return Besides(
        delivered_to(
            rows, [row.message_id for row in kept if row.type == event_types.MESSAGE_STATUS and row.message_id]
        ),
        growth.added(rows, [row.message_id for row in kept if row.growing and row.message_id]),
    )


def _body(row: Kept, more: Besides) -> dict[str, Any]:
    if row.type == event_types.ROOM_UPDATED:
        return {"room": row.room_name, "title": row.title, "owner": row.owner_id}
    if row.type == event_types.ROOM_DELETED:
        return {"room": row.room_name}
    if row.message_id is None:
        return {"room": row.room_name, "user": {"id": row.about, "name": row.about_name}}
    if row.type == event_types.MESSAGE_STATUS:
        return {
            "room": row.room_name,
            "messageId": row.message_id,
            "localId": row.local_id,
            "status": row.status,
            "deliveredTo": more.counts.get(row.message_id, 0),
        }
    document = message_document.read(row, row.message_id, row.room_name, row.message_log_id, more.added)
    return {"room": row.room_name, "message": document}
