"""`Cursor`, a position in the event log, and `Event`, what stands there. Pure values."""

import re
import time
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from functools import lru_cache
from typing import Any
from typing import Final

import orjson

from chatapp import sse
from chatapp import wire

# A cursor is kept as one 63-bit integer: 43 bits of milliseconds (until the year 2248), 20 of sequence.
SEQUENCE_BITS: Final = 20
SEQUENCE_MAX: Final = 2**SEQUENCE_BITS - 1
PACKED_MAX: Final = 2**63 - 1

# Those who follow the log stand at a few positions, and come with the same text.
PARSED_MAX: Final = 1000

_CURSOR = re.compile(r"(0|[1-9][0-9]{0,19})-(0|[1-9][0-9]{0,19})", re.ASCII)
_UINT64_MAX: Final = 2**64 - 1


class Cursor(int):
    """A Redis Stream id as one integer, so that comparing, storing and sorting need no parsing.

    The only code that knows how a cursor is written. A sequence beyond 2^20, which is never handed
    out, means the same as the last one of its millisecond.
    """

    __slots__ = ()

    @staticmethod
    @lru_cache(maxsize=PARSED_MAX)
    def parse(text: str) -> "Cursor":
        """Read `<milliseconds>-<sequence>`. Raises ValueError for anything else."""
        match = _CURSOR.fullmatch(text)
        if match is None:
            raise ValueError("a cursor looks like 1763781234567-0")
        milliseconds, sequence = int(match[1]), int(match[2])
        if max(milliseconds, sequence) > _UINT64_MAX:
            raise ValueError("a cursor has two parts of at most 64 bits")
        return Cursor.at(milliseconds, min(sequence, SEQUENCE_MAX))

    @classmethod
    def at(cls, milliseconds: int, sequence: int = 0) -> "Cursor":
        return cls(milliseconds << SEQUENCE_BITS | sequence)

    @property
    def milliseconds(self) -> int:
        return self >> SEQUENCE_BITS

    @property
    def packed(self) -> int:
        """As the database keeps it. A cursor beyond 63 bits lies after every row, and so does the cap."""
        return min(int(self), PACKED_MAX)

    def __str__(self) -> str:
        return f"{self >> SEQUENCE_BITS}-{self & SEQUENCE_MAX}"

    __repr__ = __str__


def text(cursor: int | None) -> str | None:
    """The cursor of a row as the wire shows it; null until it is published."""
    return None if cursor is None else str(Cursor(cursor))


class Event:
    """One entry of the event log, encoded once for everyone who reads it.

    `cursor` is None for an event that is committed and not yet published. `target` is the only user
    who may see it, or None for everyone in the room. `about` is the user who joined or left.
    `frame` is the event as a Server-Sent Event, and `data` the line of JSON in it: kept once, since a window
    holds thousands. `message_id` is the message that it carries, if any.
    """

    __slots__ = ("_data_bytes", "about", "cursor", "frame", "message_id", "room_id", "target", "type")

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
        self.restate(body)

    def restate(self, body: dict[str, Any]) -> None:
        """Say it anew: what it is about has changed since."""
        position = None if self.cursor is None else str(self.cursor)
        if self.type == "message.created" and position is not None and body["message"]["cursor"] is None:
            body = {**body, "message": {**body["message"], "cursor": position}}
        data = wire.dumps({"type": self.type, "cursor": position, **body})
        self._data_bytes = len(data)
        self.frame = sse.frame(self.type, data, position)

    @property
    def data(self) -> bytes:
        end = len(self.frame) - len(sse.END)
        return self.frame[end - self._data_bytes : end]

    @property
    def body(self) -> dict[str, Any]:
        """What it says besides type and cursor."""
        body: dict[str, Any] = orjson.loads(self.data)
        del body["type"], body["cursor"]
        return body

    def visible_to(self, user_id: str) -> bool:
        return self.target is None or self.target == user_id


@dataclass(frozen=True, slots=True)
class Entry:
    """An event on its way through the Redis Stream, before it has a cursor. `number` is its row's."""

    number: int
    type: str
    room_id: int
    body: dict[str, Any]
    target: str | None = None
    about: str | None = None


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def utc_now() -> datetime:
    """The time to the millisecond: what the wire shows is what the database keeps."""
    return datetime.fromtimestamp(now_ms() / 1000, UTC)


def timestamp(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC with milliseconds, as `2026-11-22T10:00:00.123Z`."""
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
