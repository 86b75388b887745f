"""Two ways of following the log behind one interface, so that one suite tests both."""

import time
from collections import deque
from typing import Any
from typing import Protocol

from tests.support.person import SIGNALS
from tests.support.person import Person
from tests.support.stream import EventStream
from tests.support.stream import StreamEnded

OWN_EVENTS = {"ready", "heartbeat", "closing", "reset"}


class Follower(Protocol):
    """`next` gives the next event of the log; `cursor` is where to continue."""

    cursor: str

    def next(self, seconds: float = 10.0) -> dict[str, Any]: ...
    def close(self) -> None: ...


class StreamFollower:
    """Comes back with Last-Event-ID when the stream ends, as a browser does."""

    def __init__(self, person: Person, since: str | None = None, rooms: str | None = None) -> None:
        self._person = person
        self._rooms = rooms
        self._stream = EventStream(person.url, person.token, since=since, rooms=rooms)
        assert self._stream.status == 200, self._stream.body()
        ready = self._stream.next()
        assert ready.type == "ready"
        self.cursor = str(ready.id)

    def next(self, seconds: float = 10.0) -> dict[str, Any]:
        deadline_s = time.monotonic() + seconds
        while True:
            try:
                event = self._stream.next(deadline_s - time.monotonic())
            except (StreamEnded, ConnectionError):
                self._come_back(deadline_s)
                continue
            if event.id is not None:
                self.cursor = event.id
            if event.type not in OWN_EVENTS | SIGNALS:
                return event.data

    def close(self) -> None:
        self._stream.close()

    def _come_back(self, deadline_s: float) -> None:
        self._stream.close()
        while True:
            try:
                self._stream = EventStream(
                    self._person.url, self._person.token, rooms=self._rooms, last_event_id=self.cursor
                )
                assert self._stream.status == 200
                return
            except (OSError, StreamEnded):
                if time.monotonic() > deadline_s:
                    raise TimeoutError("the service did not come back") from None
                time.sleep(0.05)


class PollFollower:
    """Polls again and again from the cursor of the last answer."""

    def __init__(self, person: Person, since: str | None = None, rooms: str | None = None, limit: int = 200) -> None:
        self._person = person
        self._query = {"limit": str(limit), **({"rooms": rooms} if rooms is not None else {})}
        self._waiting: deque[dict[str, Any]] = deque()
        self._polled = since or person.poll(**self._query)["cursor"]
        # Given up to here; the answers' cursors run ahead of it by what still waits in this object.
        self.cursor = self._polled

    def next(self, seconds: float = 10.0) -> dict[str, Any]:
        deadline_s = time.monotonic() + seconds
        while not self._waiting:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                raise TimeoutError("nothing came in time")
            self._poll(min(5, max(1, int(left_s))), deadline_s)
        event = self._waiting.popleft()
        self.cursor = event["cursor"] or self.cursor
        return event

    def close(self) -> None:
        """A poll holds nothing open between its answers."""

    def _poll(self, wait_s: int, deadline_s: float) -> None:
        import httpx

        try:
            answer = self._person.poll(self._polled, wait=wait_s, **self._query)
        except httpx.TransportError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.05)
            return
        assert "reset" not in answer
        self._polled = answer["cursor"]
        self._waiting.extend(answer["events"])
        if not self._waiting:
            self.cursor = self._polled


FOLLOWERS = {"stream": StreamFollower, "poll": PollFollower}


class View:
    """A client's picture of its rooms: the contract's merge rules, and a record of what was wrong."""

    ORDER = {"sent": 1, "delivered": 2}  # noqa: RUF012

    def __init__(self) -> None:
        self.messages: dict[str, dict[str, Any]] = {}
        self.repeats = 0

    def take(self, event: dict[str, Any]) -> None:
        if event["type"] == "message.status":
            known = self.messages.get(event["messageId"])
            if known is not None and self.ORDER[event["status"]] > self.ORDER[known["status"]]:
                known["status"] = event["status"]
        elif event["type"].startswith("message."):
            self._merge(event)

    def in_order(self, room: str | None = None) -> list[dict[str, Any]]:
        messages = [one for one in self.messages.values() if room is None or one["room"] == room]
        return sorted(messages, key=lambda one: place(one["cursor"]))

    def _merge(self, event: dict[str, Any]) -> None:
        message = event["message"]
        known = self.messages.get(message["id"])
        if known is None:
            self.messages[message["id"]] = dict(message)
            return
        if event["type"] == "message.created":
            self.repeats += 1
            known["cursor"] = known["cursor"] or message["cursor"]
            return
        for stamp in ("deletedAt", "editedAt"):
            if (message[stamp] or "") > (known[stamp] or ""):
                known[stamp], known["body"] = message[stamp], message["body"]
        known["cursor"] = known["cursor"] or message["cursor"]
        if self.ORDER[message["status"]] > self.ORDER[known["status"]]:
            known["status"] = message["status"]


def place(cursor: str | None) -> tuple[int, int]:
    """A cursor as two integers, to sort by; what has none stands last."""
    if cursor is None:
        return (2**63, 0)
    milliseconds, _, sequence = cursor.partition("-")
    return int(milliseconds), int(sequence)
