"""`Room`, and `Page`, a part of its history."""

from dataclasses import dataclass
from typing import Any

from chatapp.client.message import Message


@dataclass(frozen=True, slots=True)
class Room:
    """A room as the asker sees it. `unread` counts up to 100, which means 100 or more."""

    name: str
    title: str | None
    visibility: str
    member: bool
    owner: str | None
    member_count: int
    online_count: int
    read_cursor: str | None
    unread: int
    last_message: Message | None

    @classmethod
    def of(cls, document: dict[str, Any]) -> "Room":
        last = document["lastMessage"]
        return cls(
            name=document["name"],
            title=document["title"],
            visibility=document["visibility"],
            member=document["member"],
            owner=document["owner"],
            member_count=document["memberCount"],
            online_count=document["onlineCount"],
            read_cursor=document["readCursor"],
            unread=document["unread"],
            last_message=None if last is None else Message.of(last),
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Messages, oldest first. `before` and `after` are of those beside; `listen(since=page.cursor)` misses nothing."""

    messages: list[Message]
    before: str | None
    after: str | None
    has_more: bool
    cursor: str

    @classmethod
    def of(cls, document: dict[str, Any]) -> "Page":
        messages = [Message.of(one) for one in document["messages"]]
        return cls(messages, document["before"], document["after"], document["hasMore"], document["cursor"])
