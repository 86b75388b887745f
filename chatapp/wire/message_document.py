"""A message as the wire shows it."""

from datetime import datetime
from typing import Any
from typing import Protocol

from chatapp.runtime import timestamp
from chatapp.storage import Message
from chatapp.storage import MessageStatus
from chatapp.storage import moment
from chatapp.wire import content
from chatapp.wire.cursor import cursor_text


class Columns(Protocol):
    """A message as a statement reads it: moments as the driver gives them, `data` as text."""

    @property
    def local_id(self) -> str: ...
    @property
    def sender_id(self) -> str: ...
    @property
    def sender_name(self) -> str: ...
    @property
    def body(self) -> str: ...
    @property
    def data(self) -> str | None: ...
    @property
    def created_at(self) -> str | datetime: ...
    @property
    def status(self) -> str: ...
    @property
    def edited_at(self) -> str | datetime | None: ...
    @property
    def deleted_at(self) -> str | datetime | None: ...
    @property
    def growing(self) -> bool | None: ...


def make(
    *,
    id_: str,
    local_id: str,
    room: str,
    sender_id: str,
    sender_name: str,
    body: str,
    data: content.Data | None,
    created_at: datetime | None,
    status: str = MessageStatus.SENT.value,
    log_id: int | None = None,
    edited_at: datetime | None = None,
    deleted_at: datetime | None = None,
    growing: bool = False,
) -> dict[str, Any]:
    """The document of a message; by default, of one that was stored just now.

    By hand: a schema takes ten times as long to dump it.
    """
    return {
        "id": id_,
        "localId": local_id,
        "room": room,
        "sender": {"id": sender_id, "name": sender_name},
        "body": body,
        "data": data,
        "createdAt": timestamp(created_at),
        "status": status,
        "cursor": cursor_text(log_id),
        "editedAt": timestamp(edited_at),
        "deletedAt": timestamp(deleted_at),
        "growing": growing,
    }


def of(row: Message) -> dict[str, Any]:
    """The document of a message as it is now."""
    return make(
        id_=row.id,
        local_id=row.local_id,
        room=row.room.called,
        sender_id=row.sender.id,
        sender_name=row.sender.name,
        body=row.text,
        data=content.read(row.data),
        created_at=row.created_at,
        status=row.status,
        log_id=row.log_id,
        edited_at=row.edited_at,
        deleted_at=row.deleted_at,
        growing=row.growing,
    )


def read(row: Columns, id_: str, room: str, log_id: int | None, added: dict[str, str]) -> dict[str, Any]:
    """The document of a message from the columns of a statement. `added` is what growing ones have got, by id."""
    return make(
        id_=id_,
        local_id=row.local_id,
        room=room,
        sender_id=row.sender_id,
        sender_name=row.sender_name,
        body=row.body + added.get(id_, ""),
        data=content.read(row.data),
        created_at=moment(row.created_at),
        status=row.status,
        log_id=log_id,
        edited_at=moment(row.edited_at),
        deleted_at=moment(row.deleted_at),
        growing=bool(row.growing),
    )
