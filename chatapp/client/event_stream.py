"""`EventStream`: Server-Sent Events (WHATWG HTML, section 9.2) from pieces of bytes, wherever they were cut."""

import codecs
from dataclasses import dataclass

# Far above what the service sends in one event; a stream without an end of line would fill the memory.
PENDING_MAX_CHARACTERS = 4 * 1024 * 1024


class NotAnEventStream(ValueError):
    """What came is longer than any event."""


@dataclass(frozen=True, slots=True)
class ServerSent:
    """One event: its type, its data, and the last `id` that stood in the stream so far."""

    event: str
    data: str
    id: str | None


class EventStream:
    """Takes LF, CR and CRLF as ends of lines, passes over comments, unknown fields and a byte order mark."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._pending = ""
        self._begun = False
        self._event = ""
        self._data: list[str] = []
        self._size = 0
        self._id: str | None = None

    def feed(self, piece: bytes) -> list[ServerSent]:
        """The events that this piece completes. Raises NotAnEventStream."""
        text = self._decoder.decode(piece)
        if text and not self._begun:
            self._begun = True
            text = text.removeprefix("\ufeff")
        events = []
        for line in self._lines(text):
            if line:
                self._field(line)
            elif (event := self._dispatch()) is not None:
                events.append(event)
        if len(self._pending) + self._size > PENDING_MAX_CHARACTERS:
            raise NotAnEventStream(f"an event of more than {PENDING_MAX_CHARACTERS} characters")
        return events

    def _lines(self, text: str) -> list[str]:
        """The lines that are complete. A CR at the very end may be half of a CRLF: it waits."""
        text = self._pending + text
        held = ""
        if text.endswith("\r"):
            text, held = text[:-1], "\r"
        *lines, rest = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._pending = rest + held
        return lines

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._event = value
        elif name == "data":
            self._data.append(value)
            self._size += len(value)
        elif name == "id" and "\0" not in value:
            self._id = value

    def _dispatch(self) -> ServerSent | None:
        event = ServerSent(self._event or "message", "\n".join(self._data), self._id) if self._data else None
        self._event, self._data, self._size = "", [], 0
        return event
