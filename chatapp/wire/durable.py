"""Durable Streams as they stand on the wire: offsets, the cursor of caches, and the two events of a stream. Pure."""

import random
import re
import time
from typing import Final

from chatapp.wire import codec
from chatapp.wire import sse
from chatapp.wire.cursor import SEQUENCE_MAX
from chatapp.wire.cursor import Cursor

# Where a stream begins, and where it ends just now: both stand for an offset in a request, and are never handed out.
BEGINNING: Final = "-1"
NOW: Final = "now"

NEXT_OFFSET, UP_TO_DATE, CURSOR, CLOSED = "Stream-Next-Offset", "Stream-Up-To-Date", "Stream-Cursor", "Stream-Closed"

# Padded with zeros, so that they sort as text: the milliseconds until the year 2286, and all 2^20 of a millisecond.
_ROOM_OFFSET = re.compile(r"([0-9]{13})-([0-9]{7})", re.ASCII)
_TEXT_OFFSET = re.compile(r"[0-9]{10}", re.ASCII)
ROOM_OFFSET_PATTERN: Final = f"^({BEGINNING}|{NOW}|[0-9]{{13}}-[0-9]{{7}})$"
TEXT_OFFSET_PATTERN: Final = f"^({BEGINNING}|{NOW}|[0-9]{{10}})$"

# The protocol's defaults: 9 October 2024, intervals of 20 s, and up to an hour ahead for who was there already.
CACHE_EPOCH_S = 1_728_432_000
CACHE_INTERVAL_S = 20
CACHE_JITTER_MAX_S = 3600
# What is taken back of it: more digits than anybody was given.
CACHE_CURSOR_PATTERN: Final = "^[0-9]{1,15}$"


def room_offset(cursor: Cursor) -> str:
    return f"{cursor.milliseconds:013d}-{cursor & SEQUENCE_MAX:07d}"


def parse_room_offset(text: str) -> Cursor:
    """Raises ValueError for what no room has."""
    match = _ROOM_OFFSET.fullmatch(text)
    if match is None or int(match[2]) > SEQUENCE_MAX:
        raise ValueError("an offset of a room looks like 1763781234567-0000000")
    return Cursor.at(int(match[1]), int(match[2]))


def text_offset(length: int) -> str:
    """Behind so many code points."""
    return f"{length:010d}"


def parse_text_offset(text: str) -> int:
    """Raises ValueError for what no text has."""
    if _TEXT_OFFSET.fullmatch(text) is None:
        raise ValueError("an offset of a text looks like 0000000012")
    return int(text)


def cache_cursor(echoed: int | None) -> str:
    """The number of the present interval, or a later one than the client has: an answer that a cache keeps is never
    asked for again."""
    interval = int(time.time() - CACHE_EPOCH_S) // CACHE_INTERVAL_S
    if echoed is None or echoed < interval:
        return str(interval)
    return str(echoed + max(1, random.randint(1, CACHE_JITTER_MAX_S) // CACHE_INTERVAL_S))


def data(content: bytes) -> bytes:
    """The event that carries a part of the stream."""
    return sse.lines("data", content)


def control(offset: str, cursor: str, *, up_to_date: bool, closed: bool = False) -> bytes:
    """The event that says where the stream stands behind what was given."""
    said: dict[str, str | bool] = {"streamNextOffset": offset}
    if closed:
        # Nobody comes back for more of it, so it needs no cursor.
        said["streamClosed"] = True
    else:
        said["streamCursor"] = cursor
    if up_to_date:
        said["upToDate"] = True
    return sse.frame("control", codec.dumps(said))
