"""`Reader`: a client that follows its rooms from its cursor, by stream, by poll or by both in turn."""

import itertools
import random
import time
from contextlib import closing
from typing import Any

import httpx

from tests.faults.actor import Actor
from tests.faults.grower import is_reply
from tests.faults.history import History
from tests.faults.history import digest
from tests.support.person import Person
from tests.support.stream import EventStream
from tests.support.stream import StreamEnded
from tests.support.stream import StreamEvent

# The lab's service has a heartbeat every second: a client that hears nothing for this long takes the stream for dead.
DEAD_AFTER_S = 5.0
POLL_WAIT_S = 3
POLL_TIMEOUT_S = 8.0
# A reader that changes transports leaves a stream by itself after a time between these.
STAY_S = (0.5, 3.0)
# Coming back: the server's word is obeyed up to here, so that a short run sees many returns.
PAUSE_S = (0.05, 0.5)
RETRY_MAX_S = 1.0


class Reader(Actor):
    """Shows each message once, as the contract tells clients to: a known id is not shown again.

    `transport` is 'stream', 'poll' or 'changing'. `continuous` readers are owed everything from their first cursor.
    """

    def __init__(
        self,
        history: History,
        url: str,
        person: Person,
        name: str,
        rooms: list[str],
        transport: str,
        *,
        continuous: bool = True,
        acks: bool = False,
    ) -> None:
        super().__init__(name)
        self._history = history
        self._url = url
        self.person = person
        self._transport = transport
        self.rooms = rooms
        self._acks = acks
        self._connections = itertools.count()
        self._http = httpx.Client(
            base_url=f"{url}/api/v1", timeout=POLL_TIMEOUT_S, headers={"Authorization": f"Bearer {person.token}"}
        )
        self.cursor: str | None = None
        self.shown: set[str] = set()
        # The longest time without a word on an open stream.
        self.silence_s = 0.0
        # Streams that ended without a word, or were not opened.
        self.broken = 0
        history.record(name, "actor", "ok", user=person.id, continuous=continuous, rooms=rooms)

    def act(self) -> None:
        by_stream = itertools.cycle([True, False]) if self._transport == "changing" else None
        while not self.stopping.is_set():
            streams = next(by_stream) if by_stream is not None else self._transport == "stream"
            conn = next(self._connections)
            self._history.record(self.name, "connect", "invoke", conn=conn, cursor=self.cursor)
            try:
                pause_s = self._stream(conn) if streams else self._poll(conn)
                self._ack()
            except (OSError, StreamEnded, httpx.TransportError, ValueError) as error:
                reason = f"{type(error).__name__}: {error}"
                self._history.record(self.name, "disconnect", "info", conn=conn, reason=reason)
                self.broken += streams
                pause_s = random.uniform(*PAUSE_S)
            self.stopping.wait(pause_s)

    def close(self) -> None:
        self._http.close()

    def _stream(self, conn: int) -> float:
        """One stream until it ends. Returns how long to stay away, in seconds."""
        stay_s = random.uniform(*STAY_S) if self._transport == "changing" else float("inf")
        leave_s = time.monotonic() + stay_s
        brought = self.cursor
        with closing(EventStream(self._url, self.person.token, last_event_id=brought)) as stream:
            if stream.status != 200:
                raise ValueError(f"status {stream.status}")
            heard_s = time.monotonic()
            while not self.stopping.is_set() and time.monotonic() < leave_s:
                # Looking up now and then, to stop or to leave in time.
                try:
                    event = stream.next(min(0.25, DEAD_AFTER_S))
                except TimeoutError:
                    self.silence_s = max(self.silence_s, time.monotonic() - heard_s)
                    if time.monotonic() - heard_s > DEAD_AFTER_S:
                        raise
                    continue
                self.silence_s = max(self.silence_s, time.monotonic() - heard_s)
                heard_s = time.monotonic()
                self._heard(conn, event, brought)
                if event.type == "closing":
                    return min(float(event.data["retryAfterMs"]) / 1000, RETRY_MAX_S)
        return random.uniform(*PAUSE_S)

    def _heard(self, conn: int, event: StreamEvent, brought: str | None) -> None:
        if event.type == "ready":
            self._history.record(self.name, "connect", "ok", conn=conn, cursor=event.id)
        elif event.type == "reset":
            self._history.record(self.name, "resync", "ok", cursor=brought)
        elif event.type not in ("heartbeat", "closing"):
            self._take(conn, event.data)
        if event.id is not None:
            self.cursor = event.id

    def _poll(self, conn: int) -> float:
        """One poll. Returns how long to stay away: not at all."""
        query = {"wait": str(POLL_WAIT_S), **({} if self.cursor is None else {"since": self.cursor})}
        answer = self._http.get("/events/poll", params=query)
        if answer.status_code != 200:
            raise ValueError(f"status {answer.status_code}")
        document = answer.json()
        if "reset" in document:
            self._history.record(self.name, "resync", "ok", cursor=self.cursor)
        self._history.record(self.name, "connect", "ok", conn=conn, cursor=document["cursor"])
        for event in document["events"]:
            self._take(conn, event)
        self.cursor = document["cursor"]
        return 0.0

    def _take(self, conn: int, event: dict[str, Any]) -> None:
        message: dict[str, Any] | None = event.get("message")
        if event["type"] == "message.status" and is_reply(event):
            return
        if event["type"] == "message.status":
            # Its deliveredTo is of the moment when it was published, and a GET may have said more before.
            self._history.record(self.name, "receipt", "ok", id=event["messageId"], status=event["status"])
        fields: dict[str, Any] = {"id": None, "localId": None, "user": None, "seq": None, "hash": None, "status": None}
        if message is not None and is_reply(message):
            message = None  # It changes all the time, and is judged by itself.
        if message is not None:
            fields = _fields(message) | {"status": message["status"]}
        elif event["type"].startswith("member."):
            fields["user"] = event["user"]["id"]
        self._history.record(
            self.name,
            "deliver",
            "ok",
            conn=conn,
            event=event["type"],
            room=event["room"],
            cursor=event["cursor"],
            **fields,
        )
        if message is not None and message["id"] not in self.shown:
            self._history.record(self.name, "shown", "ok", room=message["room"], **_fields(message))
            self.shown.add(message["id"])

    def _ack(self) -> None:
        if self._acks and self.cursor is not None:
            self._history.record(self.name, "ack", "invoke", cursor=self.cursor, rooms=self.rooms)
            self._http.post("/events/ack", json={"cursor": self.cursor})


def _fields(message: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": message["id"],
        "localId": message["localId"],
        "user": message["sender"]["id"],
        "seq": message["cursor"],
        "hash": digest(message["body"]),
    }
