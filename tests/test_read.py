"""What a user has read: their receipt, what is left, and who saw a message."""

import time
from typing import Any

import pytest

from tests.support.person import Person
from tests.support.person import new_local_id
from tests.support.processes import wait_until
from tests.support.service import Service
from tests.support.stream import StreamEvent

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
            assert told.data == {"type": "read", "cursor": None, "room": room, "readCursor": first, "unread": 1}
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


def receipts(who: Person, room: str) -> dict[str, dict[str, Any]]:
    answer = who.http.get(f"/rooms/{room}/receipts")
    assert answer.status_code == 200, answer.text
    return {one["user"]["id"]: one for one in answer.json()["receipts"]}


def test_small_rooms_are_told_who_has_received_and_read_what(ada: Person, bob: Person, room: str) -> None:
    with ada.stream() as stream:
        stream.until("ready")
        cursor = ada.send(room, "seen?")["cursor"]
        read(bob, room, cursor)

        def told() -> bool:
            event = stream.until("receipt", SOON_S, room=room)
            assert (event.id, event.data["cursor"]) == (None, None)
            assert {"id", "name"} == set(event.data["receipts"][0]["user"])
            return any((one["user"]["id"], one["readCursor"]) == (bob.id, cursor) for one in event.data["receipts"])

        wait_until(told, 20, "Bob's receipt")
    found = receipts(bob, room)
    assert {id_: one["readCursor"] for id_, one in found.items()} == {ada.id: cursor, bob.id: cursor}
    wait_until(lambda: receipts(ada, room)[bob.id]["deliveredCursor"] == cursor, SOON_S, "its delivery")


def test_receipts_are_for_members_of_small_rooms(
    service: Service, ada: Person, eve: Person, room: str, private_room: str
) -> None:
    path = "/rooms/{}/receipts"
    absent, secret = (eve.http.get(path.format(name)) for name in ("no-such-room", private_room))
    assert (absent.status_code, secret.status_code) == (404, 404)
    assert absent.json() == secret.json()
    assert eve.http.get(path.format(room)).status_code == 403
    assert ada.http.get(path.format(room)).status_code == 200
    crowd = [Person(service.url) for _ in range(49)]
    for number, one in enumerate(crowd):
        one.join(room)
        assert ada.http.get(path.format(room)).status_code == (200 if number < 48 else 403)
        one.http.close()


def test_a_room_is_told_at_most_once_a_second(ada: Person, bob: Person, room: str) -> None:
    with ada.stream() as stream:
        stream.until("ready")
        began_s = time.monotonic()
        for number in range(40):
            read(bob, room, ada.send(room, f"number {number}")["cursor"])
        last = ada.send(room, "the end")["cursor"]
        read(bob, room, last)
        told: list[StreamEvent] = []

        def done() -> bool:
            told.append(stream.until("receipt", SOON_S))
            return any(one["readCursor"] == last and one["user"]["id"] == bob.id for one in told[-1].data["receipts"])

        wait_until(done, 30, "the last of them")
        assert len(told) <= time.monotonic() - began_s + 2
