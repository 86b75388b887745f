"""`LogEntry`: what stands at one position of the Redis Stream, and how much of it is read at once: little.

Every worker reads all that anybody says, and most of it concerns nobody there.
"""

import logging
from collections.abc import Iterable
from collections.abc import Sequence
from typing import NamedTuple

from chatapp.wire import Cursor
from chatapp.wire import Event
from chatapp.wire import codec
from chatapp.wire import event_types

log = logging.getLogger(__name__)

# What an entry consists of, in the order in which `publish.lua` writes it.
FIELDS = [b"prev", b"number", b"type", b"room", b"target", b"about", b"message", b"body", b"uid"]
_TYPES = {type_.encode(): type_ for type_ in event_types.ALL}


class Row(NamedTuple):
    """A row of `events`: what it is, where it stands in the database that it was published from, its place in the log,
    and its room."""

    uid: str
    number: int
    cursor: Cursor
    room_id: int


class LogEntry(NamedTuple):
    """An event, and of its row what it is and its number; or None where the log was only raised."""

    cursor: Cursor
    prev: Cursor
    event: Event | None
    uid: str = ""
    number: bytes = b""

    @property
    def row(self) -> Row | None:
        if self.event is None or self.event.room_id is None:
            return None
        return Row(self.uid, int(self.number), self.cursor, self.event.room_id)


def read(items: Iterable[tuple[bytes, Sequence[bytes]]]) -> list[LogEntry]:
    """Entries as Redis answers them: their ids, and names and values in turn."""
    entries: list[LogEntry] = []
    raw_before, before = b"", Cursor(0)
    for raw_id, flat in items:
        cursor = Cursor.of_redis(raw_id)
        try:
            if flat[::2] != FIELDS:
                entry = _other(cursor, fields(flat))
            else:
                _, prev, _, number, _, type_, _, room_id, _, target, _, about, _, message_id, _, body, _, uid = flat
                if not number.isdigit():
                    raise ValueError("a row has a number")
                message = message_id.decode() or None
                event = Event.packed(
                    *(cursor, _TYPES.get(type_) or type_.decode(), int(room_id), body),
                    *(target.decode() or None, about.decode() or None, message),
                )
                came_after = before if prev == raw_before else Cursor.of_redis(prev)
                entry = LogEntry(cursor, came_after, event, uid.decode() or message or "", number)
        except (KeyError, TypeError, ValueError) as error:
            # Not ours. It names no predecessor, so the tail sees what it is: a log changed beneath it.
            log.warning("the entry at %s is not from this service: %r", cursor, error)
            entry = LogEntry(cursor, cursor, None)
        entries.append(entry)
        raw_before, before = raw_id, cursor
    return entries


def fields(flat: Sequence[bytes]) -> dict[bytes, bytes]:
    """Redis answers names and values in turn."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _other(cursor: Cursor, given: dict[bytes, bytes]) -> LogEntry:
    """An entry that only raised the log, or one of an earlier version, which did not say what its row is."""
    prev, type_ = Cursor.parse(given[b"prev"].decode()), given[b"type"].decode()
    if not type_:
        return LogEntry(cursor, prev, None)
    target, about = given[b"target"].decode() or None, given[b"about"].decode() or None
    event = Event(cursor, type_, int(given[b"room"]), codec.loads_trusted(given[b"body"]), target, about)
    created = event.message_id if event.type == event_types.MESSAGE_CREATED else None
    return LogEntry(cursor, prev, event, created or str(int(given[b"number"])), given[b"number"])
