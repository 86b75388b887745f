"""What the service answers, as its documents describe it: a schema for each shape.

The answers themselves are made by hand, which is many times faster; tests hold real ones against these.
"""

from marshmallow import fields
from marshmallow import validate

from chatapp.errors import codes
from chatapp.storage import MessageStatus
from chatapp.storage import Visibility
from chatapp.wire.documents import MemberSchema
from chatapp.wire.documents import Moment
from chatapp.wire.documents import Shown
from chatapp.wire.documents import UserSchema
from chatapp.wire.event_documents import EVENTS
from chatapp.wire.event_documents import OfConnection
from chatapp.wire.shapes import SOMETIMES
from chatapp.wire.shapes import UNREAD_MAX
from chatapp.wire.shapes import AnyOf
from chatapp.wire.shapes import Anything
from chatapp.wire.shapes import Count
from chatapp.wire.shapes import Cursor
from chatapp.wire.shapes import MessageSchema
from chatapp.wire.shapes import ReceiptSchema
from chatapp.wire.shapes import Status


class SessionSchema(Shown):
    user = fields.Nested(UserSchema)
    expiresAt = Moment()


class SignedInSchema(SessionSchema):
    token = fields.String(metadata={"description": "For `Authorization: Bearer`."})


class RoomSchema(Shown):
    name = fields.String()
    title = fields.String(allow_none=True)
    visibility = fields.String(validate=validate.OneOf([one.value for one in Visibility]))
    member = fields.Boolean(metadata={"description": "Whether the asker belongs to it."})
    owner = fields.String(allow_none=True, metadata={"description": "A user's id."})
    memberCount = Count()
    onlineCount = Count()
    readCursor = Cursor(allow_none=True)
    unread = Count(UNREAD_MAX)
    lastMessage = fields.Nested(MessageSchema, allow_none=True)


class RoomsSchema(Shown):
    rooms = fields.List(fields.Nested(RoomSchema))
    after = fields.String(allow_none=True, metadata={"description": "For the next page; null on the last."})
    cursor = Cursor()


class MembersSchema(Shown):
    members = fields.List(fields.Nested(MemberSchema))
    after = fields.String(allow_none=True, metadata={"description": "For the next page; null on the last."})


class ReceiptsSchema(Shown):
    receipts = fields.List(fields.Nested(ReceiptSchema))


class HistorySchema(Shown):
    messages = fields.List(fields.Nested(MessageSchema))
    before = Cursor(allow_none=True)
    after = Cursor(allow_none=True)
    hasMore = fields.Boolean()
    cursor = Cursor()


class GrownSchema(Shown):
    id = fields.String()
    length = Count()


class ProblemSchema(Shown):
    """An error (RFC 9457). Branch on `code`."""

    type = fields.String()
    title = fields.String()
    status = fields.Integer(strict=True)
    detail = fields.String(metadata={"description": "For people."})
    code = fields.String(validate=validate.OneOf(codes()))
    retryable = fields.Boolean()
    errors = Anything(metadata={**SOMETIMES, "description": "Field → list of texts; `_schema` for the whole."})
    message = fields.Nested(MessageSchema, metadata=SOMETIMES)
    localId = fields.String(metadata=SOMETIMES)
    retryAfterMs = fields.Integer(strict=True, metadata=SOMETIMES)
    length = fields.Integer(strict=True, metadata=SOMETIMES)
    growing = fields.Boolean(metadata=SOMETIMES)


class SendResultSchema(Shown):
    localId = fields.String(allow_none=True)
    status = Status(MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.FAILED)
    message = fields.Nested(MessageSchema, metadata=SOMETIMES)
    problem = fields.Nested(ProblemSchema, metadata=SOMETIMES)


class BatchResultsSchema(Shown):
    results = fields.List(fields.Nested(SendResultSchema))


class OutcomeSchema(Shown):
    localId = fields.String()
    status = Status(*MessageStatus)
    message = fields.Nested(MessageSchema, metadata=SOMETIMES)
    problem = fields.Nested(ProblemSchema, metadata=SOMETIMES)


class OutcomesSchema(Shown):
    results = fields.List(fields.Nested(OutcomeSchema))


class PollSchema(Shown):
    events = fields.List(AnyOf(*(one for one in EVENTS.values() if not issubclass(one, OfConnection))))
    cursor = Cursor(metadata={"description": "Where to go on from."})
    more = fields.Boolean(metadata={"description": "There is more behind the cursor at once."})
    reset = fields.Boolean(metadata={**SOMETIMES, "description": "The cursor was never handed out: load all anew."})


class OpenapiSchema(Shown):
    """An OpenAPI document."""

    openapi = fields.String()
    info = Anything()
    servers = fields.List(Anything())
    tags = fields.List(Anything())
    paths = Anything()
    components = Anything()


class AsyncapiSchema(Shown):
    """An AsyncAPI document."""

    asyncapi = fields.String()
    info = Anything()
    servers = Anything()
    defaultContentType = fields.String()
    channels = Anything()
    operations = Anything()
    components = Anything()
