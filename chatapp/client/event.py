"""`Event`: one piece of news, as stream and poll bring it."""

from dataclasses import dataclass
from typing import Any

from chatapp.client.message import Message

# Of the log. One of these without a cursor is not in the log yet, and comes again with its place in it.
IN_THE_LOG = frozenset(
    {
        "message.created",
        "message.updated",
        "message.deleted",
        "message.status",
        "member.joined",
        "member.left",
        "room.updated",
        "room.deleted",
    }
)


@dataclass(frozen=True, slots=True)
class Event:
    """`data` is the whole event, in the contract's words. A signal, such as `typing`, has no cursor."""

    type: str
    cursor: str | None
    room: str | None
    data: dict[str, Any]

    @classmethod
    def of(cls, data: dict[str, Any]) -> "Event":
        """Raises KeyError for what is no event."""
        return cls(data["type"], data["cursor"], data.get("room"), data)

    @property
    def message(self) -> Message:
        """Of `message.created`, `message.updated` and `message.deleted`. Raises KeyError for other events."""
        return Message.of(self.data["message"])

    @property
    def waits_for_its_place(self) -> bool:
        return self.cursor is None and self.type in IN_THE_LOG

    @property
    def identity(self) -> tuple[str | None, ...]:
        """What two copies of one event have in common."""
        about = self.data.get("messageId") or (self.data.get("message") or {}).get("id")
        return (self.cursor, self.type, about)
