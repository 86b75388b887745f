"""`Message` and `User`, in the contract's words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class User:
    id: str
    name: str

    @classmethod
    def of(cls, document: dict[str, Any]) -> "User":
        return cls(document["id"], document["name"])


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it was when it came. `delivered_to` and `read_by` are known only where one message was asked for."""

    id: str
    local_id: str
    room: str
    sender: User
    body: str
    data: dict[str, Any] | None
    created_at: datetime
    status: str
    cursor: str | None
    edited_at: datetime | None
    deleted_at: datetime | None
    growing: bool
    delivered_to: int | None = None
    read_by: int | None = None

    @classmethod
    def of(cls, document: dict[str, Any]) -> "Message":
        """From the wire. Fields that are not known here are passed over. Raises KeyError, TypeError, ValueError."""
        return cls(
            id=document["id"],
            local_id=document["localId"],
            room=document["room"],
            sender=User.of(document["sender"]),
            body=document["body"],
            data=document["data"],
            created_at=datetime.fromisoformat(document["createdAt"]),
            status=document["status"],
            cursor=document["cursor"],
            edited_at=moment(document["editedAt"]),
            deleted_at=moment(document["deletedAt"]),
            growing=document["growing"],
            delivered_to=document.get("deliveredTo"),
            read_by=document.get("readBy"),
        )


def moment(text: str | None) -> datetime | None:
    """`2026-11-22T10:00:00.123Z`, with its time zone."""
    return None if text is None else datetime.fromisoformat(text)
