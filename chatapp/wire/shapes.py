"""Parts of what the service says, in answers and events alike: a schema for each. No queries."""

from typing import Any

from marshmallow import Schema
from marshmallow import fields
from marshmallow import validate

from chatapp.storage import MessageStatus
from chatapp.wire.cursor import CURSOR_PATTERN
from chatapp.wire.documents import Moment
from chatapp.wire.documents import Shown
from chatapp.wire.documents import UserSchema

SOMETIMES = {"sometimes": True}
# The messages of others in a room are counted so far and no further: this many or more.
UNREAD_MAX = 100


class Cursor(fields.String):
    def __init__(self, **options: Any) -> None:
        metadata = {"pattern": CURSOR_PATTERN, **options.pop("metadata", {})}
        super().__init__(metadata=metadata, **options)


class Count(fields.Integer):
    def __init__(self, most: int | None = None, **options: Any) -> None:
        super().__init__(strict=True, validate=validate.Range(0, most), **options)


class Anything(fields.Dict):
    """A JSON object, whatever stands in it."""


class Status(fields.String):
    def __init__(self, *of: MessageStatus) -> None:
        super().__init__(validate=validate.OneOf([one.value for one in of]))


class MessageSchema(Shown):
    id = fields.String(metadata={"description": "A UUIDv7."})
    localId = fields.String(
        metadata={"description": "Chosen by the sender's client, unique per sender while it is kept."}
    )
    room = fields.String()
    sender = fields.Nested(UserSchema)
    body = fields.String(metadata={"description": "As it was sent; empty once withdrawn."})
    data = Anything(allow_none=True, metadata={"description": "For programs, as it was sent."})
    createdAt = Moment()
    status = Status(MessageStatus.SENT, MessageStatus.DELIVERED)
    cursor = Cursor(allow_none=True)
    editedAt = Moment(allow_none=True)
    deletedAt = Moment(allow_none=True)
    growing = fields.Boolean()


class CountedMessageSchema(MessageSchema):
    deliveredTo = Count()
    readBy = Count()


class ReceiptSchema(Shown):
    user = fields.Nested(UserSchema)
    deliveredCursor = Cursor(allow_none=True)
    readCursor = Cursor(allow_none=True)


class AnyOf(fields.Field[Any]):
    """What one of these schemas describes."""

    def __init__(self, *schemas: type[Schema]) -> None:
        super().__init__()
        self.schemas = schemas
