"""A raw client of the event stream: own socket, own parser, so that the wire itself is tested."""

import json
import socket
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from urllib.parse import urlsplit


@dataclass(frozen=True)
class StreamEvent:
    """One event as it came: its id line (None without one), its type, its data, its raw text."""

    id: str | None
    type: str
    data: dict[str, Any]
    raw: str


class StreamEnded(Exception):
    """The server ended the stream."""


class EventStream:
    """Opens at once. Reading methods take a bound in seconds and raise TimeoutError beyond it."""

    def __init__(
        self,
        url: str,
        token: str | None,
        *,
        since: str | None = None,
        rooms: str | None = None,
        last_event_id: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        parts = urlsplit(url)
        query = urlencode({name: value for name, value in (("since", since), ("rooms", rooms)) if value is not None})
        lines = [f"GET /api/v1/events/stream?{query} HTTP/1.1", f"Host: {parts.netloc}", "Accept: text/event-stream"]
        if token is not None:
            lines.append(f"Authorization: Bearer {token}")
        if last_event_id is not None:
            lines.append(f"Last-Event-ID: {last_event_id}")
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.socket = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=10)
        self._raw = b""
        self._text = b""
        self.retry_ms: int | None = None
        self.seen: list[StreamEvent] = []
        try:
            self.socket.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
            head = self._until(b"\r\n\r\n", 10.0)
        except BaseException:
            self.close()
            raise
        status, *fields = head.decode("latin-1").split("\r\n")
        self.status = int(status.split()[1])
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in fields)}

    def __enter__(self) -> "EventStream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def body(self) -> bytes:
        """The whole of an answer that is no stream."""
        length = int(self.headers.get("content-length", "0"))
        while len(self._raw) < length:
            self._fill(10.0)
        return self._raw[:length]

    def problem(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.body())
        return document

    def next(self, seconds: float = 10.0) -> StreamEvent:
        """The next event. Raises StreamEnded, TimeoutError."""
        deadline_s = time.monotonic() + seconds
        while True:
            block, separator, rest = self._text.partition(b"\n\n")
            if separator:
                self._text = rest
                event = self._parse(block.decode())
                if event is not None:
                    self.seen.append(event)
                    return event
                continue
            self._text += self._chunk(deadline_s)

    def until(self, type_: str, seconds: float = 10.0, **expected: Any) -> StreamEvent:
        """The next event of this type whose data has these values."""
        deadline_s = time.monotonic() + seconds
        while True:
            event = self.next(deadline_s - time.monotonic())
            if event.type == type_ and all(event.data.get(name) == value for name, value in expected.items()):
                return event

    def messages(self, count: int, seconds: float = 20.0) -> list[dict[str, Any]]:
        """The messages of the next `count` message.created events."""
        return [self.until("message.created", seconds).data["message"] for _ in range(count)]

    def to_the_end(self, seconds: float = 10.0) -> list[StreamEvent]:
        """Everything until the server ends the stream."""
        events = []
        deadline_s = time.monotonic() + seconds
        try:
            while True:
                events.append(self.next(deadline_s - time.monotonic()))
        except StreamEnded:
            return events

    @property
    def cursor(self) -> str:
        """What a browser would send as Last-Event-ID."""
        return next(event.id for event in reversed(self.seen) if event.id is not None)

    def _parse(self, block: str) -> StreamEvent | None:
        fields: dict[str, str] = {}
        for line in block.split("\n"):
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        if "retry" in fields:
            self.retry_ms = int(fields["retry"])
        if "data" not in fields:
            return None
        return StreamEvent(fields.get("id"), fields.get("event", "message"), json.loads(fields["data"]), block)

    def _chunk(self, deadline_s: float) -> bytes:
        if "transfer-encoding" not in self.headers:
            # It ends with the connection.
            if not self._raw:
                self._fill(deadline_s - time.monotonic())
            found, self._raw = self._raw, b""
            return found
        # Nothing is taken before the whole chunk is here: a time-out in its middle loses nothing.
        while True:
            size_line, separator, rest = self._raw.partition(b"\r\n")
            size = int(size_line, 16) if separator else 0
            if separator and len(rest) >= size + 2:
                break
            self._fill(deadline_s - time.monotonic())
        chunk, self._raw = rest[:size], rest[size + 2 :]
        if size == 0:
            raise StreamEnded
        return chunk

    def _until(self, mark: bytes, seconds: float) -> bytes:
        deadline_s = time.monotonic() + seconds
        while mark not in self._raw:
            self._fill(deadline_s - time.monotonic())
        found, _, self._raw = self._raw.partition(mark)
        return found

    def _fill(self, seconds: float) -> None:
        if seconds <= 0:
            raise TimeoutError("nothing came in time")
        self.socket.settimeout(seconds)
        received = self.socket.recv(65536)
        if not received:
            raise StreamEnded
        self._raw += received
