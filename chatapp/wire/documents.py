"""Rooms and people as the wire shows them: one schema for each. No queries."""

from datetime import datetime
from typing import Any

from marshmallow import Schema
from marshmallow import fields

from chatapp.runtime import timestamp
from chatapp.wire import message_document
from chatapp.wire.cursor import cursor_text


class Moment(fields.Field[datetime]):
    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return timestamp(value)


class UserSchema(Schema):
    id = fields.String(dump_only=True)
    name = fields.String(dump_only=True)


class MemberSchema(UserSchema):
    joinedAt = Moment(attribute="joined_at", dump_only=True)
    online = fields.Boolean(dump_only=True)
    lastSeenAt = Moment(attribute="last_seen_at", dump_only=True)


class RoomSchema(Schema):
    """A room as one user sees it."""

    name = fields.String(dump_only=True)
    title = fields.String(dump_only=True)
    visibility = fields.String(dump_only=True)
    member = fields.Boolean(dump_only=True)
    owner = fields.String(dump_only=True)
    memberCount = fields.Integer(attribute="member_count", dump_only=True)
    onlineCount = fields.Integer(attribute="online_count", dump_only=True)
    readCursor = fields.Function(lambda room: cursor_text(room.read_cursor))
    unread = fields.Integer(dump_only=True)
    lastMessage = fields.Function(
        lambda room: None if room.last_message is None else message_document.of(room.last_message)
    )
