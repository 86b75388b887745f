"""What a user has read: their receipt, what is left, and who saw a message."""

from typing import Any

import pytest

from tests.support.person import Person
from tests.support.person import new_local_id
from tests.support.processes import wait_until

SOON_S = 4.0


def read(who: Person, room: str, cursor: str) -> None:
    answer = who.http.post(f"/rooms/{room}/read", json={"cursor": cursor})
    assert (answer.status_code, answer.content) == (204, b""), answer.text


def state(who: Person, room: str) -> tuple[str | None, int]:
    """By both doors."""
    one = who.http.get(f"/rooms/{room}").json()
    found: dict[str, Any] = {}
    after = None
    while room not in found:
        page = who.http.get("/rooms", params={"after": after} if after else {}).json()
        found.update((each["name"], each) for each in page["rooms"])
        after = page["after"]
        assert after or room in found
    assert (one["readCursor"], one["unread"]) == (found[room]["readCursor"], found[room]["unread"])
    return one["readCursor"], one["unread"]


def test_a_new_member_starts_with_everything_read(ada: Person, eve: Person, room: str) -> None:
    ada.send(room, "before Eve")
    assert state(eve, room) == (None, 0)
    eve.join(room)
    assert state(eve, room) == (None, 0)
    ada.send(room, "since")
    assert state(eve, room) == (None, 1)


def test_a_receipt_moves_forward_and_never_back(ada: Person, bob: Person, room: str) -> None:
    said = [ada.send(room, f"number {number}")["cursor"] for number in range(4)]
    assert state(bob, room) == (None, 4)
    read(bob, room, said[1])
    assert state(bob, room) == (said[1], 2)
    read(bob, room, said[0])
    assert state(bob, room) == (said[1], 2)
    read(bob, room, said[3])
    assert state(bob, room) == (said[3], 0)
    # What comes before the joining was read already.
    assert state(ada, room) == (said[3], 0)


def test_no_cursor_reads_ahead(ada: Person, bob: Person, room: str) -> None:
    last = ada.send(room, "the newest")["cursor"]
    read(bob, room, "18446744073709551615-5")
    cursor, unread = state(bob, room)
    assert unread == 0
    assert cursor is not None
    assert int(cursor.split("-")[0]) - int(last.split("-")[0]) < 60_000
    ada.send(room, "newer")
    assert state(bob, room)[1] == 1


def test_ones_own_send_has_read_all_before_it(ada: Person, bob: Person, room: str) -> None:
    ada.send(room, "a question")
    assert state(bob, room)[1] == 1
    answer = bob.send(room, "an answer")
    assert state(bob, room) == (answer["cursor"], 0)
    ada.send(room, "another")
    assert state(bob, room) == (answer["cursor"], 1)


def test_own_and_withdrawn_messages_are_not_unread(ada: Person, bob: Person, room: str) -> None:
    ids = [ada.send(room, f"number {number}")["id"] for number in range(3)]
    ada.http.delete(f"/messages/{ids[1]}")
    assert state(bob, room)[1] == 2


def test_a_hundred_and_no_further(ada: Person, bob: Person, room: str) -> None:
    for _ in range(2):
        ada.batch(*({"room": room, "localId": new_local_id(), "body": "one of many"} for _ in range(60)))
    wait_until(lambda: state(bob, room)[1] == 100, SOON_S, "all of them")


def test_ones_other_connections_are_told(ada: Person, bob: Person, room: str) -> None:
    first, second = (ada.send(room, body)["cursor"] for body in ("first", "second"))
    with bob.stream() as own, bob.stream(rooms=room) as named, ada.stream() as other:
        for stream in (own, named, other):
            stream.until("ready")
        read(bob, room, first)
        for stream in (own, named):
            told = stream.until("read", SOON_S)
            assert told.id is None
            assert told.data == {"type": "read", "cursor": first, "room": room, "unread": 1}
        read(bob, room, second)
        assert own.until("read", SOON_S).data["unread"] == 0
        ada.send(room, "the end")
        other.until("message.created")
        assert "read" not in [event.type for event in other.seen]


def test_who_comes_back_starts_anew(ada: Person, bob: Person, room: str) -> None:
    said = ada.send(room, "before")["cursor"]
    read(bob, room, said)
    bob.http.delete(f"/rooms/{room}/members/me")
    assert state(bob, room) == (None, 0)
    ada.send(room, "while away")
    bob.join(room)
    assert state(bob, room) == (None, 0)


def test_how_many_have_read_it(ada: Person, bob: Person, eve: Person, room: str) -> None:
    eve.join(room)
    message = ada.send(room, "seen by")
    assert ada.message(message["id"])["readBy"] == 0
    read(bob, room, message["cursor"])
    assert eve.message(message["id"])["readBy"] == 1
    # What was read was received.
    wait_until(lambda: ada.message(message["id"])["deliveredTo"] == 1, SOON_S, "its delivery")
    eve.send(room, "an answer")
    assert ada.message(message["id"])["readBy"] == 2


def test_strangers_and_visitors_read_nothing(ada: Person, eve: Person, room: str, private_room: str) -> None:
    cursor = ada.send(private_room, "secret")["cursor"]
    secret = eve.http.post(f"/rooms/{private_room}/read", json={"cursor": cursor})
    absent = eve.http.post("/rooms/no-such-room/read", json={"cursor": cursor})
    assert (secret.status_code, absent.status_code) == (404, 404)
    assert secret.json() == absent.json()
    assert eve.http.post(f"/rooms/{room}/read", json={"cursor": cursor}).status_code == 403


@pytest.mark.parametrize(
    ("document", "status", "code"),
    [
        ({}, 422, "invalid_message"),
        ({"cursor": 1}, 422, "invalid_message"),
        ({"cursor": "1"}, 400, "invalid_cursor"),
        ({"cursor": "1-1", "room": "x"}, 422, "invalid_message"),
    ],
)
def test_what_is_no_cursor_is_refused(ada: Person, room: str, document: Any, status: int, code: str) -> None:
    refused = ada.http.post(f"/rooms/{room}/read", json=document)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
