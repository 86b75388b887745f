"""Replies that grow: durable piece by piece, whole for everybody whenever they come."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.conftest import Start
from tests.support.person import Person
from tests.support.person import new_local_id
from tests.support.processes import wait_until
from tests.support.service import Service
from tests.support.stream import EventStream

SOON_S = 4.0
IDLE_S = 60.0


@pytest.fixture
def own(start_service: Start) -> Iterator[Service]:
    service = start_service("postgres")
    yield service
    service.stop()


def begin(who: Person, room: str, body: str = "", **more: Any) -> dict[str, Any]:
    document = {"localId": new_local_id(), "body": body, "growing": True, **more}
    answer = who.http.post(f"/rooms/{room}/messages", json=document)
    assert answer.status_code == 201, answer.text
    message: dict[str, Any] = answer.json()
    assert (message["growing"], message["body"]) == (True, body)
    wait_until(lambda: who.message(message["id"])["cursor"], what="the cursor")
    return message


def append(who: Person, message: dict[str, Any], at: int, text: str) -> httpx.Response:
    return who.http.post(f"/messages/{message['id']}/append", json={"at": at, "text": text})


def grow(who: Person, message: dict[str, Any], at: int, text: str) -> int:
    answer = append(who, message, at, text)
    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert document["id"] == message["id"]
    length: int = document["length"]
    return length


def finish(who: Person, message: dict[str, Any], **new: Any) -> dict[str, Any]:
    answer = who.http.post(f"/messages/{message['id']}/finish", json=new)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def heard(stream: EventStream, message: dict[str, Any], length: int, text: str = "") -> str:
    """What a client has that follows what is told, and loads nothing."""
    while len(text) < length:
        event = stream.until("message.grew", SOON_S, messageId=message["id"])
        assert (event.id, event.data["cursor"]) == (None, None)
        at = event.data["at"]
        assert at <= len(text)
        text = text[:at] + event.data["text"]
    return text


def test_everybody_in_the_room_sees_it_grow_and_the_log_has_the_end(ada: Person, bob: Person, room: str) -> None:
    since = bob.cursor()
    with bob.stream() as mine, bob.stream(rooms=room) as named, ada.stream() as own:
        for stream in (mine, named, own):
            stream.until("ready")
        reply = begin(ada, room, "Let me see")
        length = len("Let me see")
        for piece in (": one", ", two 🦊", ", three"):
            length = grow(ada, reply, length, piece)
        whole = "Let me see: one, two 🦊, three"
        assert length == len(whole)
        for stream in (mine, named, own):
            created = stream.until("message.created").data["message"]
            assert (created["id"], created["growing"]) == (reply["id"], True)
            assert heard(stream, reply, length, created["body"]) == whole
        ended = finish(ada, reply)
        assert (ended["body"], ended["growing"], ended["editedAt"]) == (whole, False, None)
        for stream in (mine, named, own):
            updated = stream.until("message.updated")
            assert updated.id is not None
            assert updated.data["message"]["body"] == whole
            assert updated.data["message"]["growing"] is False
    # Again and again, also with another end.
    assert finish(ada, reply, body="too late")["body"] == whole
    events = bob.poll(since, rooms=room)["events"]
    assert [event["type"] for event in events if event["type"].startswith("message.") and "message" in event] == [
        "message.created",
        "message.updated",
    ]


def test_whoever_comes_in_between_has_the_whole(ada: Person, bob: Person, room: str) -> None:
    since = bob.cursor()
    reply = begin(ada, room, "one")
    grow(ada, reply, 3, " two")
    whole = "one two"
    # A new stream, before any append that it could hear.
    for options in ({}, {"rooms": room}, {"since": since}):
        with bob.stream(**options) as late:
            assert heard(late, reply, len(whole)) == whole
    with bob.stream(since=since) as late:
        assert late.until("message.created").data["message"]["body"] == whole
    # A poll that has just begun, whichever way it reads.
    for cursor in (since, "0-0"):
        told = bob.poll(cursor, rooms=room, limit=1000)["events"]
        assert [event["message"]["body"] for event in told if event["type"] == "message.created"] == [whole]
    once = bob.poll_once(bob.cursor(), rooms=room, wait=3)["events"]
    assert [(event["at"], event["text"]) for event in once if event["type"] == "message.grew"] in ([(0, whole)], [])
    # And every other door.
    assert bob.page(room)["messages"][-1]["body"] == whole
    assert bob.message(reply["id"])["body"] == whole
    assert bob.http.get(f"/rooms/{room}").json()["lastMessage"]["body"] == whole
    assert [one["lastMessage"]["body"] for one in bob.http.get("/rooms").json()["rooms"] if one["name"] == room] == [
        whole
    ]
    assert ada.status(reply["localId"])[0]["message"]["body"] == whole
    replayed = ada.http.post(
        f"/rooms/{room}/messages", json={"localId": reply["localId"], "body": "one", "growing": True}
    )
    assert (replayed.status_code, replayed.json()["body"], replayed.json()["growing"]) == (200, whole, True)
    other = ada.http.post(f"/rooms/{room}/messages", json={"localId": reply["localId"], "body": "one"})
    assert other.json()["code"] == "local_id_reused"
    assert finish(ada, reply, body="one, two, three")["body"] == "one, two, three"
    assert bob.page(room)["messages"][-1]["body"] == "one, two, three"


def test_repeats_are_judged_by_their_place(ada: Person, room: str) -> None:
    reply = begin(ada, room)
    assert grow(ada, reply, 0, "Hello") == 5
    assert grow(ada, reply, 5, ", Ada") == 10
    for at, text in ((0, "Hello"), (5, ", Ada"), (0, "Hell"), (3, "lo, A")):
        assert grow(ada, reply, at, text) == 10
    for at, text in ((0, "Hallo"), (4, "ooo"), (9, "ab"), (10 + 1, "x"), (3, "lo, Ada and more")):
        refused = append(ada, reply, at, text)
        assert (refused.status_code, refused.json()["code"], refused.json()["length"]) == (409, "out_of_step", 10)
        assert refused.json()["growing"] is True
    finish(ada, reply)
    # An answer that was lost, and comes after the end.
    assert grow(ada, reply, 5, ", Ada") == 10
    refused = append(ada, reply, 10, "!").json()
    assert (refused["code"], refused["length"], refused["growing"]) == ("out_of_step", 10, False)


def test_of_two_who_append_at_the_same_place_one_does(ada: Person, room: str) -> None:
    reply = begin(ada, room)
    answers: list[tuple[str, int]] = []
    length = 0
    for _ in range(5):
        barrier = threading.Barrier(4)

        def add(text: str, at: int, barrier: threading.Barrier = barrier) -> None:
            with Person(ada.url, token=ada.token) as again:
                barrier.wait()
                answers.append((text, append(again, reply, at, text).status_code))

        answers.clear()
        threads = [threading.Thread(target=add, args=(letter * 3, length)) for letter in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert sorted(status for _, status in answers) == [200, 409, 409, 409]
        length += 3
        [won] = [text for text, status in answers if status == 200]
        assert ada.message(reply["id"])["body"][-3:] == won
    assert len(ada.message(reply["id"])["body"]) == 15


def test_editing_and_withdrawing_end_it_too(ada: Person, bob: Person, room: str) -> None:
    with bob.stream(rooms=room) as stream:
        edited, data, gone = (begin(ada, room, "first") for _ in range(3))
        for reply in (edited, data, gone):
            grow(ada, reply, 5, " and second")
        assert ada.http.patch(f"/messages/{edited['id']}", json={"body": "changed"}).json()["growing"] is False
        assert stream.until("message.updated").data["message"]["body"] == "changed"
        answer = ada.http.patch(f"/messages/{data['id']}", json={"data": {"done": True}}).json()
        assert (answer["growing"], answer["body"]) == (False, "first and second")
        answer = ada.http.delete(f"/messages/{gone['id']}").json()
        assert (answer["growing"], answer["body"]) == (False, "")
        assert stream.until("message.deleted").data["message"]["growing"] is False
    for reply in (edited, gone):
        assert append(ada, reply, 16, "more").json()["code"] == "out_of_step"
    assert finish(ada, gone)["deletedAt"] is not None


def test_only_its_sender_goes_on_and_strangers_find_nothing(
    ada: Person, bob: Person, eve: Person, private_room: str
) -> None:
    reply = begin(ada, private_room, "secret")
    for who, code in ((bob, "forbidden"), (eve, "not_found")):
        assert append(who, reply, 6, "!").json()["code"] == code
        assert who.http.post(f"/messages/{reply['id']}/finish", json={}).json()["code"] == code
    with eve.stream() as outside, bob.stream() as inside:
        outside.until("ready")
        inside.until("ready")
        grow(ada, reply, 6, " still")
        heard(inside, reply, 12, "secret")
        # Who is removed hears nothing more of it.
        ada.remove(private_room, bob)
        inside.until("member.left")
        grow(ada, reply, 12, " more")
        ada.http.post("/rooms/general/typing", json={"typing": False})
        for stream in (outside, inside):
            stream.until("typing", SOON_S)
            assert " more" not in str(stream.seen)
        assert "secret" not in str(outside.seen)


@pytest.mark.parametrize(
    ("what", "field"),
    [
        ({"at": 0}, "text"),
        ({"at": 0, "text": ""}, "text"),
        ({"at": 0, "text": "x" * 4001}, "text"),
        ({"at": 0, "text": "\u0000"}, "text"),
        ({"at": -1, "text": "x"}, "at"),
        ({"at": True, "text": "x"}, "at"),
        ({"at": 0.5, "text": "x"}, "at"),
        ({"at": "0", "text": "x"}, "at"),
        ({"at": 0, "text": "x", "more": 1}, "more"),
    ],
)
def test_what_makes_no_sense_is_refused(ada: Person, room: str, what: dict[str, Any], field: str) -> None:
    reply = begin(ada, room)
    refused = ada.http.post(f"/messages/{reply['id']}/append", json=what)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_message"), refused.text
    assert field in refused.json()["errors"]
    assert ada.message(reply["id"])["body"] == ""


def test_what_would_be_too_long_elsewhere_is_out_of_step_first(ada: Person, room: str) -> None:
    reply = begin(ada, room)
    refused = append(ada, reply, 31_999, "xx")
    assert (refused.status_code, refused.json()["code"], refused.json()["length"]) == (409, "out_of_step", 0)


def test_a_whole_number_may_be_written_with_a_point(ada: Person, room: str) -> None:
    reply = begin(ada, room)
    grown = ada.http.post(f"/messages/{reply['id']}/append", json={"at": 0.0, "text": "x"})
    assert (grown.status_code, grown.json()["length"]) == (200, 1)


def test_the_greatest_length_goes_through_however_it_is_written(ada: Person, room: str) -> None:
    reply = begin(ada, room)
    # As JSON each of them is twelve bytes.
    body = json.dumps({"body": "😀" * 32_000})
    ended = ada.http.post(f"/messages/{reply['id']}/finish", content=body, headers={"Content-Type": "application/json"})
    assert ended.status_code == 200
    assert ended.json()["body"] == "😀" * 32_000


def test_a_message_that_does_not_grow_takes_no_more(ada: Person, room: str) -> None:
    plain = ada.send(room, "as it is")
    assert plain["growing"] is False
    assert append(ada, plain, 8, "!").json()["code"] == "out_of_step"
    assert finish(ada, plain, body="other")["body"] == "as it is"
    for body in ("", "  "):
        answer = ada.http.post(f"/rooms/{room}/messages", json={"localId": new_local_id(), "body": body})
        assert answer.status_code == 422
    for growing in ("yes", 1, None):
        answer = ada.http.post(
            f"/rooms/{room}/messages", json={"localId": new_local_id(), "body": "x", "growing": growing}
        )
        assert answer.status_code == 422, growing
    batch = ada.batch({"room": room, "localId": new_local_id(), "body": "", "growing": True}).json()["results"]
    assert batch[0]["message"]["growing"] is True


def test_a_whole_reply_of_the_greatest_length(ada: Person, bob: Person, room: str) -> None:
    reply = begin(ada, room)
    length = 0
    for _ in range(8):
        length = grow(ada, reply, length, "é" * 4000)
    assert length == 32_000
    assert append(ada, reply, length, "x").status_code == 422
    assert finish(ada, reply)["body"] == "é" * 32_000
    assert bob.page(room)["messages"][-1]["body"] == "é" * 32_000


def test_a_user_appends_fifty_times_a_second(ada: Person, room: str) -> None:
    reply = begin(ada, room)
    began_s = time.monotonic()
    statuses = [append(ada, reply, 0, "x").status_code for _ in range(150)]
    took_s = time.monotonic() - began_s
    allowed = 50 + took_s * 50
    assert statuses.count(200) <= allowed + 1
    if allowed < 140:
        assert 429 in statuses


def test_the_end_of_a_membership_or_a_session_ends_it(ada: Person, bob: Person, eve: Person, room: str) -> None:
    for how in ("leaves", "signs out"):
        with Person(ada.url, "Bot") as bot:
            bot.join(room)
            reply = begin(bot, room, "half a")
            grow(bot, reply, 6, " sentence")
            if how == "leaves":
                assert bot.http.delete(f"/rooms/{room}/members/me").status_code == 204
                assert append(bot, reply, 15, "!").status_code == 409
            else:
                assert bot.http.delete("/session").status_code == 204
        wait_until(lambda reply=reply: not ada.message(reply["id"])["growing"], SOON_S, "its end")  # type: ignore[misc]
        assert ada.message(reply["id"])["body"] == "half a sentence"


def test_it_ends_by_itself_and_killed_workers_lose_nothing(own: Service) -> None:
    with Person(own.url, "Ada") as ada, Person(own.url, "Bob") as bob:
        room = ada.create_room()
        bob.join(room)
        replies = [begin(ada, room) for _ in range(2)]
        expected = ""
        for number in range(30):
            piece = f"{number} "
            for reply in replies:
                while True:
                    try:
                        answer = append(ada, reply, len(expected), piece)
                    except httpx.TransportError:
                        continue
                    # An answer that was lost is a repeat, and counts as the same.
                    if answer.status_code == 200:
                        break
                    assert answer.status_code in (503, 429), answer.text
            expected += piece
            if number % 10 == 4:
                own.kill_worker()
        stopped_s = time.monotonic()
        for reply in replies:
            assert bob.message(reply["id"])["body"] == expected
        ended = finish(ada, replies[0])
        assert ended["body"] == expected
        since = bob.cursor()
        wait_until(lambda: not bob.message(replies[1]["id"])["growing"], 4 * IDLE_S, "its end")
        assert time.monotonic() - stopped_s >= IDLE_S - 2
        [updated] = [one for one in bob.poll(since, rooms=room)["events"] if one["type"] == "message.updated"]
        assert (updated["message"]["body"], updated["message"]["growing"]) == (expected, False)
