"""`Churn`: a member of a private room who is removed and invited again, all the time."""

import itertools

import httpx

from tests.faults.actor import Actor
from tests.faults.history import History
from tests.support.person import Person

STAY_S = 1.0


class Churn(Actor):
    def __init__(self, history: History, owner: Person, room: str, leaver: Person) -> None:
        super().__init__("churn")
        self._history = history
        self._owner = owner
        self._room = room
        self._leaver = leaver

    def act(self) -> None:
        for turn in itertools.count():
            if self.stopping.wait(STAY_S):
                return
            if turn % 2:
                self._change("PUT", "joined")
            else:
                self._change("DELETE", "left")

    def _change(self, method: str, change: str) -> None:
        fields = {"user": self._leaver.id, "room": self._room, "change": change}
        self._history.record("churn", "member", "invoke", **fields)
        try:
            answer = self._owner.http.request(method, f"/rooms/{self._room}/members/{self._leaver.id}")
        except httpx.TransportError:
            self._history.record("churn", "member", "info", **fields)
            return
        # Somebody removed by a request whose answer was lost cannot be removed again: they are out, since when is open.
        known = answer.status_code in (200, 204)
        self._history.record("churn", "member", "ok" if known else "info", **fields)
