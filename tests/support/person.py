"""A person who uses the service from outside, by its public API alone."""

import itertools
import secrets
import time
from types import TracebackType
from typing import Any

import httpx

from tests.support.processes import wait_until
from tests.support.stream import EventStream

_names = itertools.count(1)

# Half a second is much, even on a busy machine.
PUBLISHED_WITHIN_S = 10.0


# What is said beside the log.
SIGNALS = {"typing", "presence", "read", "receipt", "message.grew"}


class Person:
    """Signs in as a guest, or holds a given token."""

    def __init__(self, url: str, name: str | None = None, *, token: str | None = None) -> None:
        self.url = url
        self.http = httpx.Client(base_url=f"{url}/api/v1", timeout=15)
        if token is None:
            answer = self.http.post("/session", json={"name": name or f"Guest {next(_names)}"})
            assert answer.status_code == 201, answer.text
            token = answer.json()["token"]
        self.token = token
        self.http.cookies.clear()
        self.http.headers["Authorization"] = f"Bearer {token}"
        who = self.http.get("/session")
        assert who.status_code == 200, who.text
        self.user: dict[str, Any] = who.json()["user"]
        self.id: str = self.user["id"]
        self.name: str = self.user["name"]

    def __enter__(self) -> "Person":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.http.close()

    def post(self, room: str, body: str, local_id: str | None = None) -> httpx.Response:
        document = {"localId": local_id or new_local_id(), "body": body}
        return self.http.post(f"/rooms/{room}/messages", json=document)

    def send(self, room: str, body: str, local_id: str | None = None) -> dict[str, Any]:
        """Send and expect it to be stored and published. Returns the message, with its cursor."""
        answer = self.post(room, body, local_id)
        assert answer.status_code in (200, 201), answer.text
        message: dict[str, Any] = answer.json()
        # The answer waits 0.2 s for it, which may be too short on a busy machine.
        if message["cursor"] is None:
            wait_until(lambda: self.message(message["id"])["cursor"], PUBLISHED_WITHIN_S, "the cursor")
            message["cursor"] = self.message(message["id"])["cursor"]
        return message

    def batch(self, *items: dict[str, Any]) -> httpx.Response:
        return self.http.post("/messages/batch", json={"messages": list(items)})

    def message(self, id_: str) -> dict[str, Any]:
        answer = self.http.get(f"/messages/{id_}")
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def create_room(self, visibility: str = "public", name: str | None = None) -> str:
        name = name or f"room-{secrets.token_hex(6)}"
        answer = self.http.post("/rooms", json={"name": name, "visibility": visibility})
        assert answer.status_code == 201, answer.text
        return name

    def join(self, room: str) -> None:
        answer = self.http.put(f"/rooms/{room}/members/me")
        assert answer.status_code == 200, answer.text

    def invite(self, room: str, other: "Person") -> None:
        answer = self.http.put(f"/rooms/{room}/members/{other.id}")
        assert answer.status_code == 200, answer.text

    def remove(self, room: str, other: "Person") -> None:
        answer = self.http.delete(f"/rooms/{room}/members/{other.id}")
        assert answer.status_code == 204, answer.text

    def page(self, room: str, **query: Any) -> dict[str, Any]:
        return self.read(f"/rooms/{room}/messages", **query)

    def history(self, room: str) -> list[dict[str, Any]]:
        """The whole room, page by page from the newest."""
        page = self.page(room, limit=200)
        messages: list[dict[str, Any]] = page["messages"]
        while page["hasMore"]:
            page = self.page(room, limit=200, before=page["before"])
            messages = page["messages"] + messages
        return messages

    def poll(self, since: str | None = None, **query: Any) -> dict[str, Any]:
        """What comes of the log."""
        while True:
            document = self.poll_once(since, **query)
            said = document["events"]
            document["events"] = [event for event in said if event["type"] not in SIGNALS]
            if document["events"] or not said:
                return document
            since = document["cursor"]

    def poll_once(self, since: str | None = None, **query: Any) -> dict[str, Any]:
        """One answer, signals included."""
        if since is not None:
            query["since"] = since
        return self.read("/events/poll", **query)

    def cursor(self) -> str:
        """Where the log stands now, for this person's worker."""
        cursor: str = self.poll()["cursor"]
        return cursor

    def stream(self, **options: Any) -> EventStream:
        return EventStream(self.url, self.token, **options)

    def ack(self, cursor: str, rooms: list[str] | None = None) -> httpx.Response:
        return self.http.post("/events/ack", json={"cursor": cursor, **({"rooms": rooms} if rooms else {})})

    def read(self, path: str, **query: Any) -> dict[str, Any]:
        """As often as it is refused for reading too quickly, as on a fast machine."""
        answer = self.http.get(path, params=query, timeout=70)
        while answer.status_code == 429 and answer.json()["code"] == "rate_limited":
            time.sleep(answer.json()["retryAfterMs"] / 1000)
            answer = self.http.get(path, params=query, timeout=70)
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def status(self, *local_ids: str) -> list[dict[str, Any]]:
        answer = self.http.get("/messages/status", params=[("localId", one) for one in local_ids])
        assert answer.status_code == 200, answer.text
        results: list[dict[str, Any]] = answer.json()["results"]
        return results


def new_local_id() -> str:
    return secrets.token_urlsafe(16)
