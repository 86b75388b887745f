"""`Event`, what stands at a position of the log, and `Entry`, one on its way there. Pure values."""

from dataclasses import dataclass
from typing import Any
from typing import Protocol

from chatapp.wire import codec
from chatapp.wire import event_types
from chatapp.wire import sse
from chatapp.wire.cursor import Cursor


class Restated(Protocol):
    """What an event may say instead: another one, or something that is never published itself."""

    @property
    def body(self) -> dict[str, Any]: ...


class Event:
    """One entry of the event log, encoded once for everyone who reads it, and not before somebody does.

    `cursor` is None for an event that is committed and not yet published. `target` is the only user
    who may see it, or None for everyone in the room. `about` is the user who joined or left.
    `frame` is the event as a Server-Sent Event, and `data` the line of JSON in it: kept once, since a window
    holds thousands. `message_id` is the message that it carries, if any.
    """

    __slots__ = (
        *("_data_bytes", "_frame", "_packed", "_restated", "about", "cursor", "message_id", "room_id", "target"),
        "type",
    )

    def __init__(
        self,
        cursor: Cursor | None,
        type: str,  # noqa: A002 - the word of the wire
        room_id: int | None,
        body: dict[str, Any],
        target: str | None = None,
        about: str | None = None,
    ) -> None:
        self.cursor = cursor
        self.type = type
        self.room_id = room_id
        self.target = target
        self.about = about
        self.message_id: str | None = body["message"]["id"] if "message" in body else None
        self._restated: Restated | None = None
        self._packed: bytes | None = None
        self._encode(body)

    @classmethod
    def packed(
        cls,
        cursor: Cursor,
        type: str,  # noqa: A002
        room_id: int,
        body: bytes,
        target: str | None,
        about: str | None,
        message_id: str | None,
    ) -> "Event":
        """An event whose body is JSON still, as it came through the log. Most workers have nobody in most rooms."""
        event = cls.__new__(cls)
        event.cursor, event.type, event.room_id, event.target, event.about = cursor, type, room_id, target, about
        event.message_id = message_id
        event._restated = None
        event._packed = body
        return event

    def restate(self, newer: Restated) -> None:
        """Say what something newer says: what it is about has changed since. It is encoded when somebody reads it."""
        self._restated = newer

    @property
    def size(self) -> int:
        """How many bytes it takes here, about."""
        return len(self._frame if self._packed is None else self._packed)

    def holds(self, text: bytes) -> bool:
        """Whether this stands in its JSON: cheaper than reading it."""
        return text in (self.frame if self._packed is None or self._restated is not None else self._packed)

    @property
    def frame(self) -> bytes:
        if self._restated is not None:
            newer, self._restated = self._restated, None
            self._encode(newer.body)
        elif self._packed is not None:
            self._encode(codec.loads_trusted(self._packed))
        return self._frame

    def _encode(self, body: dict[str, Any]) -> None:
        position = None if self.cursor is None else str(self.cursor)
        if self.type == event_types.MESSAGE_CREATED and position is not None and body["message"]["cursor"] is None:
            body = {**body, "message": {**body["message"], "cursor": position}}
        data = codec.dumps({"type": self.type, "cursor": position, **body})
        self._data_bytes = len(data)
        self._frame = sse.frame(self.type, data, position)
        self._packed = None

    @property
    def data(self) -> bytes:
        frame = self.frame
        end = len(frame) - len(sse.END)
        return frame[end - self._data_bytes : end]

    @property
    def body(self) -> dict[str, Any]:
        """What it says besides type and cursor."""
        body: dict[str, Any] = codec.loads_trusted(self.data)
        del body["type"], body["cursor"]
        return body

    @property
    def room_name(self) -> str:
        name: str = self.body["room"]
        return name

    def visible_to(self, user_id: str) -> bool:
        return self.target is None or self.target == user_id


@dataclass(frozen=True, slots=True)
class Entry:
    """An event on its way through the Redis Stream, before it has a cursor.

    `uid` is what its row is, whichever database that stands in; `number` is only where it stands in this one.
    """

    number: int
    uid: str
    type: str
    room_id: int
    body: dict[str, Any]
    target: str | None = None
    about: str | None = None
