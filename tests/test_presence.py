"""Who is there: over both transports, between workers, and when one of them is killed."""

import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from tests.conftest import Start
from tests.support.person import Person
from tests.support.processes import wait_until
from tests.support.service import Service
from tests.support.stream import EventStream

SECRET = "of the test, 32 bytes and a few more"
# A second by the contract; fourfold, for the machine is shared.
SOON_S = 4.0
GRACE_S = 15.0
# A minute by the contract.
DEAD_S = 60.0


@pytest.fixture(params=["postgres", "sqlite"])
def own(request: pytest.FixtureRequest, start_service: Start) -> Iterator[Service]:
    service = start_service(request.param, CHATAPP_JWT_SECRET=SECRET)
    yield service
    service.stop()


def of_host(service: Service, name: str) -> Person:
    token = jwt.encode({"sub": name.lower(), "name": name, "exp": time.time() + 3600}, SECRET, "HS256")
    return Person(service.url, token=token)


def count(who: Person, room: str) -> int:
    found: int = who.http.get(f"/rooms/{room}").json()["onlineCount"]
    return found


def members(who: Person, room: str, **query: Any) -> dict[str, dict[str, Any]]:
    answer = who.http.get(f"/rooms/{room}/members", params=query)
    assert answer.status_code == 200, answer.text
    return {one["name"]: one for one in answer.json()["members"]}


def change(stream: EventStream, name: str, seconds: float) -> tuple[bool, int]:
    """The next change of this person: whether they are online, and how many are in all."""
    deadline_s = time.monotonic() + seconds
    while True:
        event = stream.until("presence", deadline_s - time.monotonic())
        assert event.id is None
        assert event.data["cursor"] is None
        for one in event.data["changes"]:
            if one["user"]["name"] == name:
                return one["online"], event.data["onlineCount"]


def test_who_comes_is_seen_at_once_and_who_goes_a_while_later(ada: Person, bob: Person, room: str) -> None:
    with ada.stream(rooms=room) as watching:
        assert change(watching, "Ada", SOON_S) == (True, 1)
        assert members(ada, room)["Bob"] == {**members(ada, room)["Bob"], "online": False, "lastSeenAt": None}
        with bob.stream(), bob.stream():
            assert change(watching, "Bob", SOON_S) == (True, 2)
            assert count(bob, room) == 2
            assert [one["onlineCount"] for one in bob.http.get("/rooms").json()["rooms"] if one["name"] == room] == [2]
            assert members(ada, room, online="true").keys() == {"Ada", "Bob"}
        left_s = time.monotonic()
        # A device more, and a pause between two polls.
        cursor = bob.poll_once(wait=0)["cursor"]
        bob.poll_once(cursor, wait=1)
        assert change(watching, "Bob", GRACE_S + 4 * SOON_S) == (False, 1)
        assert time.monotonic() - left_s >= GRACE_S - 1
        assert count(ada, room) == 1
        wait_until(lambda: members(ada, room)["Bob"]["lastSeenAt"], SOON_S, "when Bob was last seen")
        assert members(ada, room)["Ada"]["lastSeenAt"] is None
        assert members(ada, room, online="true").keys() == {"Ada"}


def test_who_signs_out_is_gone_at_once(own: Service) -> None:
    with Person(own.url, "Eve") as eve, of_host(own, "Bob") as bob:
        room = eve.create_room()
        bob.join(room)
        with eve.stream(rooms=room) as watching, bob.stream() as stream:
            stream.until("ready")
            assert change(watching, "Bob", SOON_S)[0]
            assert bob.http.delete("/session").status_code == 204
            signed_out_s = time.monotonic()
            assert not change(watching, "Bob", SOON_S)[0]
            assert time.monotonic() - signed_out_s < GRACE_S


def test_killed_workers_people_are_gone_and_who_comes_back_was_never_away(own: Service) -> None:
    """Bob comes back to another worker in time, Cyd never."""
    with Person(own.url, "Ada") as ada, Person(own.url, "Bob") as bob, Person(own.url, "Cyd") as cyd:
        room = ada.create_room()
        for who in (bob, cyd):
            who.join(room)
        with bob.stream() as his, cyd.stream() as hers:
            for stream in (his, hers):
                stream.until("ready")
            wait_until(lambda: count(ada, room) == 2, SOON_S, "both of them")
            own.kill_workers()
            killed_s = time.monotonic()
        wait_until(own.ready, 20, "another worker")
        with bob.stream(rooms=room) as back:
            back.until("ready")
            wait_until(lambda: members(ada, room, online="true").keys() == {"Bob"}, DEAD_S, "Cyd to be gone")
            assert time.monotonic() - killed_s < DEAD_S
            wait_until(lambda: members(ada, room)["Cyd"]["lastSeenAt"], SOON_S, "when Cyd was last seen")
            assert [change for event in back.seen if event.type == "presence" for change in event.data["changes"]] == []


def test_nobody_outside_hears_who_is_in_a_private_room(
    ada: Person, bob: Person, eve: Person, private_room: str
) -> None:
    with eve.stream() as outside, ada.stream() as inside:
        outside.until("ready")
        with bob.stream():
            change(inside, "Bob", SOON_S)
        assert eve.http.get(f"/rooms/{private_room}/members?online=true").status_code == 404
        eve.http.post("/rooms/general/typing", json={"typing": False})
        assert private_room not in str([event.raw for event in drained(outside)])


def drained(stream: EventStream) -> list[Any]:
    """What comes until nothing comes."""
    try:
        while True:
            stream.next(1.0)
    except TimeoutError:
        return stream.seen


def test_bad_parameters_are_named(ada: Person, room: str) -> None:
    for query in ("online=yes", "online=", "limit=1001", "after=!", "offline=true"):
        answer = ada.http.get(f"/rooms/{room}/members?{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter"), query
