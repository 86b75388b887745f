"""`Onlooker`: follows replies that grow as the contract tells clients to, and says how far it has read."""

import itertools
import random
import time
from contextlib import closing
from contextlib import suppress
from typing import Any

import httpx

from tests.faults.actor import Actor
from tests.faults.grower import is_reply
from tests.faults.history import History
from tests.support.person import Person
from tests.support.stream import EventStream
from tests.support.stream import StreamEnded

DEAD_AFTER_S = 5.0
TIMEOUT_S = 8.0
READ_EVERY_S = 0.5


class Onlooker(Actor):
    def __init__(self, history: History, url: str, person: Person, room: str) -> None:
        super().__init__("onlooker")
        self._history = history
        self._url = url
        self._person = person
        self._room = room
        self._http = httpx.Client(
            base_url=f"{url}/api/v1", timeout=TIMEOUT_S, headers={"Authorization": f"Bearer {person.token}"}
        )
        self._cursor: str | None = None
        self._read_s = 0.0
        # What it shows of each reply, and whether that grows.
        self._texts: dict[str, tuple[str, bool]] = {}

    @property
    def ended(self) -> set[str]:
        """The replies that it shows as ended."""
        return {id_ for id_, (_, growing) in list(self._texts.items()) if not growing}

    def act(self) -> None:
        for _ in itertools.count():
            if self.stopping.is_set():
                return
            with suppress(OSError, StreamEnded, httpx.TransportError, ValueError):
                self._follow()
            self.stopping.wait(random.uniform(0.05, 0.3))

    def close(self) -> None:
        self._http.close()

    def _follow(self) -> None:
        options = {"last_event_id": self._cursor} if self._cursor else {}
        with closing(EventStream(self._url, self._person.token, rooms=self._room, **options)) as stream:
            if stream.status != 200:
                raise ValueError(f"status {stream.status}")
            heard_s = time.monotonic()
            while not self.stopping.is_set():
                self._read()
                try:
                    event = stream.next(0.25)
                except TimeoutError:
                    if time.monotonic() - heard_s > DEAD_AFTER_S:
                        raise
                    continue
                heard_s = time.monotonic()
                self._take(event.type, event.data)
                self._cursor = event.id or self._cursor

    def _take(self, type_: str, data: dict[str, Any]) -> None:
        if type_ == "message.grew":
            self._grew(data["messageId"], data["at"], data["text"])
        elif is_reply(data.get("message")):
            self._whole(data["message"])

    def _grew(self, id_: str, at: int, text: str) -> None:
        known, growing = self._texts.get(id_, ("", True))
        if not growing:
            return
        if at > len(known):
            answer = self._http.get(f"/messages/{id_}")
            if answer.status_code == 200:
                self._whole(answer.json())
        elif at + len(text) > len(known):
            self._show(id_, known[:at] + text, True)

    def _whole(self, message: dict[str, Any]) -> None:
        id_, text, growing = message["id"], message["body"], message["growing"]
        known, grows = self._texts.get(id_, ("", True))
        if grows and (not growing or len(text) > len(known)):
            self._show(id_, text, growing)

    def _show(self, id_: str, text: str, growing: bool) -> None:
        self._texts[id_] = (text, growing)
        self._history.record("onlooker", "grown", "ok", id=id_, text=text, growing=growing)

    def _read(self) -> None:
        """Now and then: everything up to here is read, and what does the service make of that?"""
        if self._cursor is None or time.monotonic() - self._read_s < READ_EVERY_S:
            return
        self._read_s = time.monotonic()
        with suppress(httpx.TransportError, ValueError):
            # Whoever has read it has received it.
            confirmed = {"user": self._person.id, "room": self._room, "cursor": self._cursor}
            self._history.record("onlooker", "confirm", "invoke", **confirmed)
            answer = self._http.post(f"/rooms/{self._room}/read", json={"cursor": self._cursor})
            if answer.status_code == 204:
                self._history.record("onlooker", "read", "invoke", cursor=self._cursor)
            answer = self._http.get(f"/rooms/{self._room}")
            if answer.status_code == 200:
                self._history.record("onlooker", "read", "ok", cursor=answer.json()["readCursor"])
