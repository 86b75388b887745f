"""`Grower`: a program that writes reply after reply, piece by piece, into one room."""

import itertools
import secrets
from typing import Any

import httpx

from tests.faults.actor import Actor
from tests.faults.history import History
from tests.support.person import Person

# By this the rest of the laboratory knows that a message changes all the time.
PREFIX = "grows-"

PIECE_EVERY_S = 0.15
PIECES = 25
RETRY_S = 0.2
TIMEOUT_S = 12.0
# A reply that cannot be gone on with is given up after so many attempts at one piece.
ATTEMPTS_MAX = 400


def is_reply(message: object) -> bool:
    """Whether a message is one of a `Grower`, as an event has it."""
    return isinstance(message, dict) and str(message.get("localId")).startswith(PREFIX)


class Grower(Actor):
    """Every request is tried until it is answered. An append that was answered is recorded as `ok`."""

    def __init__(self, history: History, url: str, person: Person, room: str) -> None:
        super().__init__("grower")
        self._history = history
        self._room = room
        self._http = httpx.Client(
            base_url=f"{url}/api/v1", timeout=TIMEOUT_S, headers={"Authorization": f"Bearer {person.token}"}
        )
        self.finished: list[str] = []

    def act(self) -> None:
        while not self.stopping.is_set():
            message = {"localId": f"{PREFIX}{secrets.token_hex(8)}", "body": "", "growing": True}
            begun = self._ask("POST", f"/rooms/{self._room}/messages", message)
            if begun is not None and begun.status_code in (200, 201):
                self._grow(begun.json()["id"])

    def close(self) -> None:
        self._http.close()

    def _grow(self, id_: str) -> None:
        length = 0
        for number in range(PIECES):
            text = f"{number} {secrets.token_hex(2)} "
            fields = {"id": id_, "at": length, "text": text}
            self._history.record("grower", "append", "invoke", **fields)
            answer = self._ask("POST", f"/messages/{id_}/append", {"at": length, "text": text})
            if answer is None or answer.status_code != 200:
                said = None if answer is None else answer.text
                self._history.record("grower", "append", "fail", said=said, **fields)
                return
            self._history.record("grower", "append", "ok", **fields)
            length = answer.json()["length"]
            if self.stopping.wait(PIECE_EVERY_S):
                break
        answer = self._ask("POST", f"/messages/{id_}/finish", {})
        if answer is not None and answer.status_code == 200:
            self._history.record("grower", "finish", "ok", id=id_, text=answer.json()["body"])
            self.finished.append(id_)

    def _ask(self, method: str, path: str, body: dict[str, Any]) -> httpx.Response | None:
        """The answer, unless it is to come again. None if it never came."""
        for _ in itertools.repeat(None, ATTEMPTS_MAX):
            if self.abandoned.is_set():
                return None
            try:
                answer = self._http.request(method, path, json=body)
            except (httpx.TransportError, ValueError):
                answer = None
            # A gateway's page is no answer of the service.
            own = answer is not None and answer.headers.get("Content-Type", "").startswith("application/")
            if answer is not None and own and answer.status_code not in (429, 500, 502, 503):
                return answer
            self.abandoned.wait(RETRY_S)
        return None
