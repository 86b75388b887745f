"""The design's invariant: folding what the feed gives from any cursor into the state at that cursor equals a
fresh read, over both transports, across trims, flushes, crashes and changes of membership."""

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import Phase
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine
from hypothesis.stateful import initialize
from hypothesis.stateful import precondition
from hypothesis.stateful import rule
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import Start
from tests.support.followers import View
from tests.support.person import Person
from tests.support.processes import wait_until
from tests.support.redis_server import RedisServer
from tests.support.service import Service
from tests.support.stream import EventStream

CONVERGE_S = 15.0
# What a reader compares. The status of other people's messages may come later and without an event.
COMPARED = ("id", "body", "cursor", "editedAt", "deletedAt", "sender")


class Client:
    """A reader as the contract describes it: a cursor, a picture, and what to do at joins and leaves."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.view = View()
        page = person.read("/rooms")
        self.cursor: str = page["cursor"]
        for room in page["rooms"]:
            if room["member"]:
                self._load(room["name"])

    def take(self, event: dict[str, Any]) -> None:
        own = event["type"].startswith("member.") and event["user"]["id"] == self.person.id
        if own and event["type"] == "member.joined":
            self._load(event["room"])
        elif own:
            kept = {id_: one for id_, one in self.view.messages.items() if one["room"] != event["room"]}
            self.view.messages = kept
        else:
            self.view.take(event)
        self.cursor = event["cursor"] or self.cursor

    def by_poll(self) -> None:
        answer = self.person.poll(self.cursor, wait=0, limit=7)
        assert "reset" not in answer
        for event in answer["events"]:
            self.take(event)
        self.cursor = answer["cursor"]

    def by_stream(self) -> None:
        """Read until the first heartbeat: then everything up to its id has been given."""
        with EventStream(self.person.url, self.person.token, last_event_id=self.cursor) as stream:
            while True:
                event = stream.next(CONVERGE_S)
                assert event.type not in ("reset", "closing"), event
                if event.type not in ("ready", "heartbeat"):
                    self.take(event.data)
                self.cursor = event.id or self.cursor
                if event.type == "heartbeat":
                    return

    def picture(self) -> dict[str, Any]:
        return {id_: {name: one[name] for name in COMPARED} for id_, one in self.view.messages.items()}

    def _load(self, room: str) -> None:
        # Between an old cursor and now the room may have been left again: the leaving comes later.
        if self.person.http.get(f"/rooms/{room}").status_code == 404:
            return
        for message in self.person.history(room):
            self.view.take({"type": "message.updated", "message": message})


class Feed(RuleBasedStateMachine):
    service: Service
    redis: RedisServer

    @initialize()
    def people(self) -> None:
        self.ada = Person(self.service.url, "Ada")
        self.bob = Person(self.service.url, "Bob")
        self.public = self.ada.create_room()
        self.private = self.ada.create_room("private")
        self.bob.join(self.public)
        self.said: list[str] = []
        self.clients: list[Client] = [Client(self.bob)]

    @rule(count=st.integers(1, 40), private=st.booleans())
    def say(self, count: int, private: bool) -> None:
        room = self.private if private else self.public
        items = [{"room": room, "localId": f"said-{len(self.said) + n:06d}", "body": f"{n}"} for n in range(count)]
        results = self.ada.batch(*items).json()["results"]
        self.said += [one["message"]["id"] for one in results]

    @precondition(lambda self: self.said)
    @rule(pick=st.integers(0, 10_000), text=st.text("ab", min_size=1, max_size=3))
    def edit(self, pick: int, text: str) -> None:
        answer = self.ada.http.patch(f"/messages/{self.said[pick % len(self.said)]}", json={"body": text})
        assert answer.status_code in (200, 403)

    @precondition(lambda self: self.said)
    @rule(pick=st.integers(0, 10_000))
    def withdraw(self, pick: int) -> None:
        assert self.ada.http.delete(f"/messages/{self.said[pick % len(self.said)]}").status_code == 200

    @rule(private=st.booleans(), inside=st.booleans())
    def move_bob(self, private: bool, inside: bool) -> None:
        if private and inside:
            self.ada.invite(self.private, self.bob)
        elif private:
            self.ada.remove(self.private, self.bob)
        elif inside:
            self.bob.join(self.public)
        else:
            self.bob.http.delete(f"/rooms/{self.public}/members/me")

    @rule()
    def remember_a_cursor(self) -> None:
        self.clients.append(Client(self.bob))

    @rule()
    def flush_redis(self) -> None:
        self.redis.client.flushall()

    @rule()
    def trim_the_log(self) -> None:
        self.redis.client.xtrim("chat:events", maxlen=5, approximate=False)

    @rule()
    def kill_a_worker(self) -> None:
        before = self.service.workers()
        killed = self.service.kill_worker()
        wait_until(lambda: killed not in self.service.workers() and len(self.service.workers()) == len(before))
        wait_until(self.service.ready)

    @rule(pick=st.integers(0, 100), by_stream=st.booleans())
    def catch_up(self, pick: int, by_stream: bool) -> None:
        client = self.clients[pick % len(self.clients)]
        deadline_s = time.monotonic() + CONVERGE_S
        while True:
            client.by_stream() if by_stream else client.by_poll()
            fresh = Client(self.bob).picture()
            if client.picture() == fresh:
                return
            assert time.monotonic() < deadline_s, (client.picture(), fresh)

    def teardown(self) -> None:
        for number in range(len(getattr(self, "clients", []))):
            self.catch_up(number, by_stream=bool(number % 2))
        for person in (getattr(self, "ada", None), getattr(self, "bob", None)):
            if person is not None:
                person.http.close()


@pytest.mark.parametrize(
    ("database", "examples"),
    [
        ("postgres", 5),
        ("sqlite", 3),
        pytest.param("postgres", 60, marks=pytest.mark.long),
        pytest.param("sqlite", 40, marks=pytest.mark.long),
    ],
)
def test_folding_the_feed_from_any_cursor_equals_a_fresh_read(
    start_service: Start, redis_server: RedisServer, database: str, examples: int, tmp_path: Path
) -> None:
    service = start_service(
        database,
        REDIS_URL=redis_server.url,
        CHATAPP_LOG_MAXLEN="100",
        CHATAPP_WINDOW="30",
        CHATAPP_HEARTBEAT_SECONDS="0.1",
    )
    machine = type("Machine", (Feed,), {"service": service, "redis": redis_server})
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            database=None,
            # Shrinking against real servers takes longer than reading the steps.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    service.stop()
