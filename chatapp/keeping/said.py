"""`Said`: a message as another service kept it, and `Refused`: what is none."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Said:
    """`line` is where it stands in its source; `key` is what tells it from all others there, the same each time it is
    read; `sender` is the sender's key. Moments are milliseconds since 1970. `room` is what its `channel` is called
    here, where the source has another name for that; a private one was not open to everybody there."""

    line: str
    room: str
    key: str
    sender: str
    name: str
    body: str
    at_ms: int
    data: dict[str, Any] | None = None
    edited_ms: int | None = None
    deleted_ms: int | None = None
    channel: str = ""
    private: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    line: str
    reason: str
