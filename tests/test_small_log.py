"""A log trimmed to 100 entries and a window of 50: what is older comes from the database, without a seam."""

from collections.abc import Iterator

import pytest

from tests.conftest import Start
from tests.support.followers import FOLLOWERS
from tests.support.person import Person
from tests.support.service import Service

MESSAGES = 600


@pytest.fixture(scope="module", params=["postgres", "sqlite"])
def service(request: pytest.FixtureRequest, start_service: Start) -> Service:
    return start_service(request.param, CHATAPP_LOG_MAXLEN="100", CHATAPP_WINDOW="50")


@pytest.fixture(scope="module")
def told(service: Service) -> Iterator[tuple[Person, str, str, list[str]]]:
    """A reader, a room, the cursor before everything, and what was said: far more than the log keeps."""
    with Person(service.url, "Ada") as ada, Person(service.url, "Bob") as bob:
        room = ada.create_room()
        bob.join(room)
        start = bob.cursor()
        ids = []
        for first in range(0, MESSAGES, 100):
            items = [
                {"room": room, "localId": f"small-log-{number:04d}", "body": f"message {number}"}
                for number in range(first, first + 100)
            ]
            ids += [one["message"]["id"] for one in ada.batch(*items).json()["results"]]
        yield bob, room, start, ids


@pytest.fixture(scope="module")
def cursors(told: tuple[Person, str, str, list[str]]) -> list[str]:
    """Before each message. Read once: for each test would be more than one user may read."""
    bob, room, start, _ = told
    return [start, *(one["cursor"] for one in bob.history(room))]


@pytest.mark.parametrize("transport", FOLLOWERS)
@pytest.mark.parametrize("skip", [0, 1, 299, 500, 560, 599])
def test_any_cursor_continues_without_a_gap(
    told: tuple[Person, str, str, list[str]], cursors: list[str], transport: str, skip: int
) -> None:
    bob, room, _, ids = told
    follower = FOLLOWERS[transport](bob, since=cursors[skip], rooms=room)
    received = []
    while len(received) < MESSAGES - skip:
        event = follower.next()
        if event["type"] == "message.created":
            received.append(event["message"]["id"])
    assert received == ids[skip:]
    follower.close()


def test_small_polls_page_through_everything(told: tuple[Person, str, str, list[str]]) -> None:
    bob, room, cursor, ids = told
    received: list[str] = []
    while len(received) < MESSAGES:
        answer = bob.poll(cursor, wait=0, limit=37, rooms=room)
        assert "reset" not in answer
        received += [one["message"]["id"] for one in answer["events"] if one["type"] == "message.created"]
        cursor = answer["cursor"]
    assert received == ids


def test_a_reader_that_falls_behind_while_connected_catches_up(service: Service) -> None:
    """It reads nothing while far more than the window holds goes by, then reads on."""
    with Person(service.url, "Ada") as ada, Person(service.url, "Bob") as bob:
        room = ada.create_room()
        bob.join(room)
        with bob.stream(rooms=room) as stream:
            stream.next()
            big = "x" * 3900
            for first in range(0, 300, 10):
                items = [
                    {"room": room, "localId": f"behind-{number:06d}", "body": big}
                    for number in range(first, first + 10)
                ]
                assert ada.batch(*items).status_code == 200
            received = [one["localId"] for one in stream.messages(300, 30)]
        assert received == [f"behind-{number:06d}" for number in range(300)]


def test_folded_catch_up_shows_the_present_state(told: tuple[Person, str, str, list[str]], service: Service) -> None:
    with Person(service.url, "Cem") as cem, Person(service.url, "Dan") as dan:
        room = cem.create_room()
        dan.join(room)
        start = dan.cursor()
        first, second = cem.send(room, "first"), cem.send(room, "second")
        cem.http.patch(f"/messages/{first['id']}", json={"body": "edited"})
        cem.http.delete(f"/messages/{second['id']}")
        for number in range(150):
            cem.send("general", f"filler {number}")
        events = dan.poll(start, wait=0, rooms=room)["events"]
        created = [one["message"] for one in events if one["type"] == "message.created"]
        assert [(one["body"], bool(one["deletedAt"])) for one in created] == [("edited", False), ("", True)]
        assert [one["cursor"] for one in created] == [first["cursor"], second["cursor"]]
