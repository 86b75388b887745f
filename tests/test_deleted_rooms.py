"""Rooms deleted by their owners: the last that is heard of them, and nothing behind it."""

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.conftest import Start
from tests.support.person import Person
from tests.support.processes import wait_until
from tests.support.service import Service
from tests.test_rooms import every_door


@pytest.fixture
def own(start_service: Start) -> Iterator[Service]:
    service = start_service("postgres")
    yield service
    service.stop()


def delete(who: Person, room: str) -> Any:
    return who.http.delete(f"/rooms/{room}")


def types(events: list[dict[str, Any]], room: str) -> list[str]:
    return [event["type"] for event in events if event.get("room") == room]


def test_it_is_the_last_of_the_room_to_everybody_who_followed_it(
    ada: Person, bob: Person, eve: Person, room: str
) -> None:
    since = bob.cursor()
    said = ada.send(room, "soon gone")
    with bob.stream() as mine, bob.stream(rooms=room) as named, eve.stream(rooms=room) as visiting:
        streams = [mine, named, visiting]
        for stream in streams:
            stream.until("ready")
        assert delete(ada, room).status_code == 204
        for stream in streams:
            assert stream.until("room.deleted").data == {"type": "room.deleted", "cursor": stream.cursor, "room": room}
        # Its name may be used again, and is another room.
        assert ada.http.post("/rooms", json={"name": room}).status_code == 201
        ada.send(room, "of the new room")
        ada.send("general", "afterwards")
        assert [one["body"] for one in mine.messages(1)] == ["afterwards"]
        for stream in streams:
            assert types([event.data for event in stream.seen], room)[-1] == "room.deleted"
    # Whoever comes back with an old cursor, by window and by database.
    for cursor in (since, "0-0"):
        events = bob.poll(cursor, limit=1000)["events"]
        assert types(events, room)[-1] == "room.deleted"
        assert "of the new room" not in str(events)
        assert bob.poll(events[-1]["cursor"], wait=0)["events"] == []
    assert [one["body"] for one in ada.history(room)] == ["of the new room"]
    assert ada.http.get(f"/messages/{said['id']}").status_code == 404
    assert ada.http.patch(f"/messages/{said['id']}", json={"body": "changed"}).status_code == 404


def test_from_then_on_it_is_like_one_that_never_was(ada: Person, bob: Person, private_room: str) -> None:
    message = ada.send(private_room, "secret")
    absent = [(door, answer.status_code) for door, answer in every_door(bob, "no-such-room", message)]
    assert delete(ada, private_room).status_code == 204
    for who in (ada, bob):
        found = [(door, answer.status_code) for door, answer in every_door(who, private_room, message)]
        # A message by its id is gone, too, whoever asks.
        for (_, status), (door, expected) in zip(found, absent, strict=True):
            assert status == expected or "/messages/" in door, door
        assert delete(who, private_room).status_code == 404
        assert private_room not in str(who.http.get("/rooms").json())


def test_only_its_owner_deletes_a_room_and_some_cannot_be(ada: Person, bob: Person, eve: Person, room: str) -> None:
    for other in (bob, eve):
        refused = delete(other, room)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    direct = bob.http.put(f"/direct/{ada.id}").json()["name"]
    for name in (direct, "general"):
        assert delete(ada, name).status_code == 403
    assert bob.post(direct, "still there").status_code == 201
    assert eve.http.delete(f"/rooms/{direct}").status_code == 404


def test_who_sends_meanwhile_is_answered_before_or_not_found(ada: Person, bob: Person, room: str) -> None:
    answers: list[tuple[int, str]] = []
    deleted = threading.Event()
    late: list[int] = []

    def send() -> None:
        with Person(bob.url, token=bob.token) as sender:
            while len(late) < 5:
                after = deleted.is_set()
                answer = sender.post(room, "into the void")
                answers.append((answer.status_code, answer.text))
                if after:
                    late.append(answer.status_code)

    sender = threading.Thread(target=send)
    sender.start()
    wait_until(lambda: answers, what="the first answer")
    assert delete(ada, room).status_code == 204
    deleted.set()
    sender.join(30)
    assert set(late) <= {404, 429}
    assert {status for status, _ in answers} <= {201, 404, 429}


def test_what_was_said_leaves_the_database_also_when_workers_are_killed(own: Service) -> None:
    with Person(own.url, "Ada") as ada, Person(own.url, "Bob") as bob:
        room = ada.create_room()
        bob.join(room)
        for number in range(20):
            ada.send(room, f"number {number}")
        with bob.stream(rooms=room) as stream:
            stream.until("ready")
            assert delete(ada, room).status_code == 204
            own.kill_workers()
        with psycopg.connect(own.settings["DATABASE_URL"], autocommit=True) as connection:
            [[id_]] = connection.execute("SELECT id FROM rooms WHERE former_name = %s", [room]).fetchall()

            def left() -> list[tuple[str, int]]:
                found = []
                for table in ("messages", "receipts", "memberships"):
                    [[count]] = connection.execute(
                        f"SELECT count(*) FROM {table} WHERE room_id = %s".encode(), [id_]
                    ).fetchall()
                    found += [(table, count)] if count else []
                return found

            wait_until(lambda: not left(), 60, "nothing to be left")
            kept = connection.execute("SELECT DISTINCT type FROM events WHERE room_id = %s", [id_]).fetchall()
            assert kept == [("room.deleted",)]
        wait_until(own.ready, 20, "another worker")
        answer = bob.poll("0-0", limit=1000)
        events = answer["events"]
        while answer["more"]:
            answer = bob.poll(answer["cursor"], limit=1000)
            events += answer["events"]
        assert types(events, room) == ["room.deleted"]
