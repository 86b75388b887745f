"""Every event and signal as a stream says it, and most of them a poll: a schema for each type."""

from typing import ClassVar

from marshmallow import fields
from marshmallow import validate

from chatapp.storage import MessageStatus
from chatapp.wire import event_types
from chatapp.wire.documents import Shown
from chatapp.wire.documents import UserSchema
from chatapp.wire.shapes import SOMETIMES
from chatapp.wire.shapes import UNREAD_MAX
from chatapp.wire.shapes import Count
from chatapp.wire.shapes import Cursor
from chatapp.wire.shapes import MessageSchema
from chatapp.wire.shapes import ReceiptSchema
from chatapp.wire.shapes import Status

CLOSING_REASONS = ("rotate", "shutdown", "signed_out", "expired", "too_many_connections", "unavailable")


class EventSchema(Shown):
    """`seen_by` is for people; `kind` says whether it stands in the log."""

    kind: ClassVar[str]
    event_type: ClassVar[str]
    seen_by: ClassVar[str] = "the room"


class OfConnection(EventSchema):
    kind = "connection"
    seen_by = "this connection"
    cursor = Cursor()


class OfLog(EventSchema):
    kind = "log"
    # Null where it is committed and not in the log yet: it comes again.
    cursor = Cursor(allow_none=True)
    room = fields.String()


class OfSignal(EventSchema):
    kind = "signal"
    seen_by = "members who follow the room"
    cursor = fields.Raw(metadata={"type": "null"})
    room = fields.String()


class ReadySchema(OfConnection):
    """The stream begins: where it continues from, and the rooms that it follows."""

    event_type = "ready"
    heartbeatSeconds = fields.Float()
    user = fields.Nested(UserSchema)
    rooms = fields.List(fields.String())


class HeartbeatSchema(OfConnection):
    """Everything up to the cursor was given."""

    event_type = "heartbeat"


class ClosingSchema(OfConnection):
    """The stream ends; come back with the last id after the time told."""

    event_type = "closing"
    cursor = Cursor(allow_none=True)
    reason = fields.String(validate=validate.OneOf(CLOSING_REASONS))
    retryAfterMs = Count()


class ResetSchema(OfConnection):
    """The cursor was never handed out: load rooms and histories anew, and go on from the cursor given here."""

    event_type = "reset"
    reason = fields.String(metadata={"description": "For people."})


class MessageCreatedSchema(OfLog):
    """A message was sent."""

    event_type = event_types.MESSAGE_CREATED
    message = fields.Nested(MessageSchema)


class MessageUpdatedSchema(OfLog):
    """A message was edited, or grows no more."""

    event_type = event_types.MESSAGE_UPDATED
    message = fields.Nested(MessageSchema)


class MessageDeletedSchema(OfLog):
    """A message was withdrawn."""

    event_type = event_types.MESSAGE_DELETED
    message = fields.Nested(MessageSchema)


class MessageStatusSchema(OfLog):
    """A message of one's own reached another member."""

    event_type = event_types.MESSAGE_STATUS
    seen_by = "the sender"
    messageId = fields.String()
    localId = fields.String()
    status = Status(MessageStatus.SENT, MessageStatus.DELIVERED)
    deliveredTo = Count()


class MemberJoinedSchema(OfLog):
    """Somebody belongs to the room now."""

    event_type = event_types.MEMBER_JOINED
    seen_by = "the room and the user"
    user = fields.Nested(UserSchema)


class MemberLeftSchema(OfLog):
    """Somebody belongs to the room no more."""

    event_type = event_types.MEMBER_LEFT
    seen_by = "the room and the user"
    user = fields.Nested(UserSchema)


class RoomUpdatedSchema(OfLog):
    """The room was renamed or handed over: as it is now."""

    event_type = event_types.ROOM_UPDATED
    title = fields.String(allow_none=True)
    owner = fields.String(allow_none=True, metadata={"description": "A user's id."})


class RoomDeletedSchema(OfLog):
    """The room is gone. It is the last event of it."""

    event_type = event_types.ROOM_DELETED


class PresenceChangeSchema(Shown):
    user = fields.Nested(UserSchema)
    online = fields.Boolean()


class PresenceSchema(OfSignal):
    """Who came online and who went, since the one before."""

    event_type = "presence"
    onlineCount = Count()
    changes = fields.List(fields.Nested(PresenceChangeSchema))


class ReadSchema(OfSignal):
    """Another connection of the user has read the room up to there."""

    event_type = "read"
    seen_by = "the user"
    readCursor = Cursor()
    unread = Count(UNREAD_MAX)


class ReceiptSignalSchema(OfSignal):
    """How far members have received and read the room, of those whose receipts have moved."""

    event_type = "receipt"
    receipts = fields.List(fields.Nested(ReceiptSchema))


class MessageGrewSchema(OfSignal):
    """`text` stands at code point `at` of a message that grows."""

    event_type = "message.grew"
    messageId = fields.String()
    at = Count()
    text = fields.String()


class TypingSchema(OfSignal):
    """Somebody types, or stopped."""

    event_type = "typing"
    seen_by = "members who follow the room, but the user"
    user = fields.Nested(UserSchema)
    typing = fields.Boolean()


def _leaves(kind: type[EventSchema]) -> list[type[EventSchema]]:
    found = [leaf for one in kind.__subclasses__() for leaf in _leaves(one)]
    return found or [kind]


# By type, in the order of this file.
EVENTS = {one.event_type: one for one in _leaves(EventSchema)}
OF_LOG = tuple(_leaves(OfLog))


class Data(fields.String):
    """One line of JSON: any of the events."""

    schemas = tuple(EVENTS.values())


class FrameSchema(Shown):
    """A Server-Sent Event. Without `id` it moves no cursor."""

    id = Cursor(metadata=SOMETIMES)
    event = fields.String(validate=validate.OneOf(list(EVENTS)))
    data = Data()
    retry = Count(metadata=SOMETIMES)
