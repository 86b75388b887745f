"""The types of the events in the log, as the wire has them."""

MESSAGE_CREATED = "message.created"
MESSAGE_UPDATED = "message.updated"
MESSAGE_DELETED = "message.deleted"
MESSAGE_STATUS = "message.status"
MEMBER_JOINED = "member.joined"
MEMBER_LEFT = "member.left"
ROOM_UPDATED = "room.updated"
ROOM_DELETED = "room.deleted"

ALL = (
    MESSAGE_CREATED,
    MESSAGE_UPDATED,
    MESSAGE_DELETED,
    MESSAGE_STATUS,
    MEMBER_JOINED,
    MEMBER_LEFT,
    ROOM_UPDATED,
    ROOM_DELETED,
)
