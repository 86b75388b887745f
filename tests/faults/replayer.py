"""`Replayer`: the one who comes and goes reads the whole past again and again, in every way there is."""

import itertools

import httpx

from tests.faults.actor import Actor
from tests.faults.grower import is_reply
from tests.faults.history import History
from tests.faults.history import digest
from tests.support.person import Person

PAUSE_S = 0.3
ANSWER_S = 15.0
BEGINNING = "0-0"


class Replayer(Actor):
    """Polls from the beginning: all its rooms, and the private one by name. It must be given only what it may hear."""

    def __init__(self, history: History, url: str, person: Person, private: str) -> None:
        super().__init__("leaver-replay")
        self._history = history
        self._http = httpx.Client(
            base_url=f"{url}/api/v1", timeout=ANSWER_S, headers={"Authorization": f"Bearer {person.token}"}
        )
        self._queries = itertools.cycle([{}, {"rooms": private}])
        self.heard = 0
        history.record(self.name, "actor", "ok", user=person.id, continuous=False, rooms=[private])

    def act(self) -> None:
        while not self.stopping.wait(PAUSE_S):
            query = {"since": BEGINNING, "wait": "0", "limit": "1000", **next(self._queries)}
            try:
                answer = self._http.get("/events/poll", params=query)
            except httpx.TransportError:
                continue
            # A proxy in between may answer for the service, which is not to be judged by that.
            if answer.status_code == 200 and answer.headers["Content-Type"] == "application/json":
                for event in answer.json()["events"]:
                    self._take(event)

    def close(self) -> None:
        self._http.close()

    def _take(self, event: dict[str, object]) -> None:
        message = event.get("message")
        if isinstance(message, dict) and not is_reply(message):
            self.heard += 1
            self._history.record(
                self.name,
                "deliver",
                "ok",
                conn=0,
                event=event["type"],
                room=event["room"],
                cursor=event["cursor"],
                id=message["id"],
                localId=message["localId"],
                user=message["sender"]["id"],
                seq=message["cursor"],
                hash=digest(message["body"]),
                status=message["status"],
            )
