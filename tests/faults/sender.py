"""`Sender`: a person who sends one message after another, each again with its localId until it is answered."""

import itertools
import time
from typing import Any

import httpx

from tests.faults.actor import Actor
from tests.faults.history import History
from tests.faults.history import digest
from tests.support.person import Person

# A send is answered within 10 s; the client waits a little longer, so that the server's answer is what is seen.
CLIENT_TIMEOUT_S = 12.0
RETRY_PAUSE_S = 0.1
RETRY_AFTER_MAX_S = 1.0
# Now and then one that must be refused, and never be seen by anyone.
REFUSED_EVERY = 25


class Sender(Actor):
    """Sends to its rooms in turn, with a pause in between; `batch` messages at a time if more than one.

    Bodies are short, or of about `body_bytes`.
    """

    def __init__(
        self,
        history: History,
        url: str,
        person: Person,
        name: str,
        rooms: list[str],
        *,
        pause_s: float,
        batch: int = 1,
        body_bytes: int = 0,
    ) -> None:
        super().__init__(name)
        self._history = history
        self.person = person
        self._rooms = itertools.cycle(rooms)
        self._pause_s = pause_s
        self._batch = batch
        self._padding = "x" * max(0, body_bytes - 50)
        self._http = httpx.Client(
            base_url=f"{url}/api/v1",
            timeout=CLIENT_TIMEOUT_S,
            headers={"Authorization": f"Bearer {person.token}"},
        )
        # localId -> the id of what was acknowledged, in order.
        self.acknowledged: dict[str, str] = {}
        self.answered_s: list[float] = []
        self.unavailable = 0
        # How often nobody took the connection, and how often it was taken and no answer came.
        self.not_connected = 0
        self.unanswered = 0
        # Whether every 503 said when to come back.
        self.told_when = True
        history.record(name, "actor", "ok", user=person.id, continuous=False, rooms=rooms)

    def act(self) -> None:
        for number in itertools.count():
            if self.stopping.wait(self._pause_s):
                return
            if number % REFUSED_EVERY == REFUSED_EVERY - 1:
                self._refused(number)
            room = next(self._rooms)
            items = [self._item(room, number * self._batch + place) for place in range(self._batch)]
            while items and not self.abandoned.is_set():
                items = self._one(items) if self._batch == 1 else self._many(items)
                if items:
                    time.sleep(RETRY_PAUSE_S)

    def close(self) -> None:
        self._http.close()

    def _item(self, room: str, number: int) -> dict[str, str]:
        return {
            "room": room,
            "localId": f"{self.name}-{number:06d}",
            "body": f"{self.name} says {number}{self._padding}",
        }

    def _one(self, items: list[dict[str, str]]) -> list[dict[str, str]]:
        (item,) = items
        self._invoke(item)
        answer = self._post(f"/rooms/{item['room']}/messages", {"localId": item["localId"], "body": item["body"]})
        if answer is None:
            self._unknown(item, "no answer")
            return items
        if answer.status_code in (200, 201):
            self._ok(item, answer.json(), answer.status_code)
            return []
        self._refusal(item, answer.status_code, answer.json())
        return items

    def _many(self, items: list[dict[str, str]]) -> list[dict[str, str]]:
        for item in items:
            self._invoke(item)
        answer = self._post("/messages/batch", {"messages": items})
        if answer is None or answer.status_code != 200:
            for item in items:
                self._unknown(item, "no answer" if answer is None else str(answer.status_code))
            return items
        left = []
        for item, result in zip(items, answer.json()["results"], strict=True):
            if "message" in result:
                self._ok(item, result["message"], answer.status_code)
            else:
                self.unavailable += result["problem"]["status"] == 503
                self._refusal(item, result["problem"]["status"], result["problem"])
                left.append(item)
        return left

    def _refused(self, number: int) -> None:
        item = {"room": next(self._rooms), "localId": f"{self.name}-refused-{number:06d}", "body": " \n "}
        self._invoke(item)
        answer = self._post(f"/rooms/{item['room']}/messages", {"localId": item["localId"], "body": item["body"]})
        if answer is None:
            self._unknown(item, "no answer")
        else:
            self._refusal(item, answer.status_code, answer.json())

    def _post(self, path: str, document: dict[str, Any]) -> httpx.Response | None:
        """None: no answer came, the outcome is unknown."""
        started_s = time.monotonic()
        try:
            answer = self._http.post(path, json=document)
        except httpx.ConnectError:
            self.not_connected += 1
            return None
        except httpx.TransportError:
            self.unanswered += 1
            return None
        self.answered_s.append(time.monotonic() - started_s)
        if answer.status_code == 503:
            self.unavailable += 1
            self.told_when &= "Retry-After" in answer.headers
        if answer.status_code in (429, 503):
            time.sleep(min(float(answer.headers.get("Retry-After", "1")), RETRY_AFTER_MAX_S))
        return answer

    def _invoke(self, item: dict[str, str]) -> None:
        self._record("invoke", item, room=item["room"], hash=digest(item["body"]))

    def _ok(self, item: dict[str, str], message: dict[str, Any], status: int) -> None:
        self._record("ok", item, room=item["room"], id=message["id"], seq=message["cursor"], status=status)
        self.acknowledged[item["localId"]] = message["id"]

    def _refusal(self, item: dict[str, str], status: int, problem: dict[str, Any]) -> None:
        if status >= 500 or problem["retryable"]:
            self._unknown(item, problem["code"])
        else:
            self._record("fail", item, status=status, code=problem["code"])

    def _unknown(self, item: dict[str, str], reason: str) -> None:
        self._record("info", item, reason=reason)

    def _record(self, type_: str, item: dict[str, str], **fields: Any) -> None:
        self._history.record(self.name, "send", type_, user=self.person.id, localId=item["localId"], **fields)
