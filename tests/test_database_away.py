"""The database is away: 503 with Retry-After, nothing half done; streams stay up, workers wait for its return."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.open_folder import open_folder
from tests.support.person import Person
from tests.support.person import new_local_id
from tests.support.postgres import Postgres
from tests.support.processes import wait_until
from tests.support.service import Service


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    with open_folder() as folder:
        server = Postgres(folder / "cluster")
        yield server
        server.stop()


def _first_message(person: Person, cursor: str, room: str) -> str | None:
    """The first message behind the cursor; None if the stream closes before that."""
    with person.stream(last_event_id=cursor, rooms=room) as stream:
        for event in iter(stream.next, None):
            if event.type == "closing":
                assert event.data["reason"] == "unavailable"
                return None
            if event.type == "message.created":
                return str(event.data["message"]["body"])
    return None


def test_an_outage_ends_nothing_but_the_answers(own_postgres: Postgres, tmp_path: Path) -> None:
    service = Service(
        tmp_path / "service",
        DATABASE_URL=own_postgres.database(),
        WEB_CONCURRENCY="2",
        CHATAPP_HEARTBEAT_SECONDS="0.5",
    )
    try:
        with Person(service.url, "Ada") as ada, Person(service.url, "Bob") as bob:
            room = ada.create_room()
            bob.join(room)
            before = ada.send(room, "before")
            with ada.stream(rooms=room) as stream:
                stream.next()
                own_postgres.stop()
                local_id = new_local_id()
                refused = ada.post(room, "meanwhile", local_id)
                assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
                assert refused.json()["retryable"] is True
                assert int(refused.headers["Retry-After"]) >= 1
                for _ in range(5):
                    stream.until("heartbeat", 5)
                victim = next(pid for pid in service.workers())
                service.kill_worker()
                wait_until(lambda: len(service.workers()) == 2 and victim not in service.workers(), 20)
                assert service.process.popen.poll() is None
            # A browser never comes back from a 503: the stream says when to return, even to a session not seen before.
            for person in (ada, bob):
                for _ in range(3):
                    with person.stream(last_event_id=before["cursor"]) as turned_away:
                        assert turned_away.status == 200
                        first = turned_away.next(15)
                        if first.type == "closing":
                            assert first.data["reason"] == "unavailable"
                        else:
                            # A worker that still knows session and rooms goes on from its window.
                            turned_away.until("heartbeat", 15)
            own_postgres.start_again()
            wait_until(service.ready, 20)
            wait_until(lambda: ada.post(room, "meanwhile", local_id).status_code in (200, 201), 15)
            # The other worker may be half a second later, and says so to whoever comes: then bob comes again.
            wait_until(lambda: _first_message(bob, before["cursor"], room) == "meanwhile", 15)
            assert [one["body"] for one in ada.history(room)] == ["before", "meanwhile"]
        assert "Traceback" not in service.log()
    finally:
        service.stop()
