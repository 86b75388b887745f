"""Who is writing: a signal beside the log, over both transports and between workers."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.conftest import Start
from tests.support.person import Person
from tests.support.processes import wait_until
from tests.support.redis_server import RedisServer
from tests.support.service import Service
from tests.support.stream import EventStream
from tests.support.stream import StreamEvent

# A signal is there within a second; fourfold, for the machine is shared.
SOON_S = 4.0


@pytest.fixture
def own(start_service: Start) -> Iterator[Service]:
    """Of one worker."""
    service = start_service("sqlite")
    yield service
    service.stop()


def tell(who: Person, room: str, typing: bool = True) -> None:
    answer = who.http.post(f"/rooms/{room}/typing", json={"typing": typing})
    assert (answer.status_code, answer.content) == (204, b""), answer.text


def signals(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [event for event in document["events"] if event["type"] == "typing"]


def test_whoever_follows_the_room_hears_it_and_it_moves_no_cursor(ada: Person, bob: Person, room: str) -> None:
    # On either worker, wherever the connections are.
    with bob.stream() as mine, bob.stream(rooms=room) as named, bob.stream(rooms=room) as another:
        for stream in (mine, named, another):
            stream.until("ready")
            before = stream.cursor
            tell(ada, room, False)
            heard = stream.until("typing", SOON_S)
            assert heard.data == {
                "type": "typing",
                "cursor": None,
                "room": room,
                "user": {"id": ada.id, "name": "Ada"},
                "typing": False,
            }
            assert heard.id is None
            assert stream.cursor == before


def test_that_somebody_types_goes_on_every_three_seconds_and_that_they_stopped_each_time(
    ada: Person, bob: Person, room: str
) -> None:
    with bob.stream() as stream:
        stream.until("ready")
        began_s = time.monotonic()
        for typing in (True, True, False, True, False):
            tell(ada, room, typing)
        heard = [stream.until("typing", SOON_S).data["typing"] for _ in range(3)]
        if time.monotonic() - began_s < 3:
            assert heard == [True, False, False]

        def again() -> bool:
            tell(ada, room)
            return any(event.type == "typing" and event.data["typing"] for event in pending(stream))

        wait_until(again, 12, "the next one")
        assert time.monotonic() - began_s > 2.9


def pending(stream: EventStream) -> list[StreamEvent]:
    """What comes until nothing comes."""
    found = []
    try:
        while True:
            found.append(stream.next(0.2))
    except TimeoutError:
        return found


def test_ones_own_connections_do_not_hear_it(ada: Person, bob: Person, room: str) -> None:
    with ada.stream() as own:
        own.until("ready")
        tell(ada, room)
        tell(bob, room, False)
        assert own.until("typing", SOON_S).data["user"]["id"] == bob.id


def test_strangers_and_visitors_neither_tell_nor_hear(
    ada: Person, bob: Person, eve: Person, room: str, private_room: str
) -> None:
    secret = eve.http.post(f"/rooms/{private_room}/typing", json={"typing": True})
    absent = eve.http.post("/rooms/no-such-room/typing", json={"typing": True})
    assert (secret.status_code, absent.status_code) == (404, 404)
    assert secret.json() == absent.json()
    assert eve.http.post(f"/rooms/{room}/typing", json={"typing": True}).status_code == 403
    # Whoever may read a public room without belonging to it hears only what is in the log.
    with eve.stream(rooms=room) as visitor, bob.stream() as member:
        visitor.until("ready")
        member.until("ready")
        tell(ada, room)
        member.until("typing", SOON_S)
        ada.send(room, "said")
        visitor.until("message.created")
        assert "typing" not in [event.type for event in visitor.seen]
        # As a member, on the same connection.
        eve.join(room)
        visitor.until("member.joined")
        tell(bob, room)
        assert visitor.until("typing", SOON_S).data["user"]["id"] == bob.id
        eve.http.delete(f"/rooms/{room}/members/me")
        visitor.until("member.left")
        tell(ada, room, False)
        ada.send(room, "said again")
        visitor.until("message.created")
        assert [event.data["user"]["id"] for event in visitor.seen if event.type == "typing"] == [bob.id]


def test_whoever_was_removed_hears_nothing_more(ada: Person, bob: Person, private_room: str) -> None:
    since = bob.cursor()
    with bob.stream() as stream, bob.stream(rooms=private_room) as named:
        for one in (stream, named):
            one.until("ready")
        ada.http.delete(f"/rooms/{private_room}/members/{bob.id}")
        tell(ada, private_room)
        for one in (stream, named):
            one.until("member.left")
            assert "typing" not in [event.type for event in (*one.seen, *pending(one))]
    assert signals(bob.poll_once(since, wait=1)) == []


@pytest.mark.parametrize(
    "document", [{}, {"typing": 1}, {"typing": "true"}, {"typing": None}, {"typing": True, "to": 1}]
)
def test_what_is_neither_true_nor_false_is_refused(ada: Person, room: str, document: dict[str, Any]) -> None:
    refused = ada.http.post(f"/rooms/{room}/typing", json=document)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_message")


def test_a_poll_that_is_open_is_answered_after_a_second(ada: Person, bob: Person, room: str) -> None:
    since = bob.cursor()
    with ThreadPoolExecutor(1) as other:
        began_s = time.monotonic()
        polled = other.submit(bob.poll_once, since, wait=20)

        def answered() -> bool:
            tell(ada, room, False)
            return polled.done()

        wait_until(answered, 15, "the poll's answer")
        answer = polled.result()
        assert time.monotonic() - began_s < 15
    assert answer["cursor"] == since
    assert signals(answer)
    assert {event["type"] for event in answer["events"]} <= {"typing", "presence"}


def test_a_message_ends_the_wait_for_company(ada: Person, bob: Person, room: str) -> None:
    since = bob.cursor()
    with ThreadPoolExecutor(1) as other:
        polled = other.submit(bob.poll_once, since, wait=20)
        # Whatever the poll heard of it by then, the message comes last in the answer.
        tell(ada, room, False)
        sent = ada.send(room, "company")
        answer = polled.result()
    types = [event["type"] for event in answer["events"]]
    if "message.created" not in types:
        # The message was late.
        answer = bob.poll_once(answer["cursor"], wait=20)
        types = [event["type"] for event in answer["events"]]
    assert types[-1] == "message.created"
    assert answer["cursor"] >= sent["cursor"]


def test_what_is_signalled_between_two_polls_comes_with_the_second_once(own: Service) -> None:
    with Person(own.url, "Ada") as ada, Person(own.url, "Bob") as bob, bob.stream() as watch:
        watch.until("ready")
        since = bob.cursor()
        for typing in (False, False, False):
            tell(ada, "general", typing)
            watch.until("typing", SOON_S)
        # The one worker has heard them, and no poll was open.
        assert len(signals(bob.poll_once(since, wait=0))) == 3
        assert signals(bob.poll_once(since, wait=0)) == []
        # Ada has not polled yet: she begins now.
        tell(bob, "general", False)
        assert signals(ada.poll_once(since, wait=0)) == []


def test_without_redis_nobody_hears_it_and_nothing_fails(start_service: Start, redis_server: RedisServer) -> None:
    service = start_service("sqlite", REDIS_URL=redis_server.url)
    with Person(service.url, "Ada") as ada:
        redis_server.stop()
        tell(ada, "general")
        tell(ada, "general", False)
    service.stop()
