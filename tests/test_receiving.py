"""The contract of receiving, over both transports: no gap, no repeat, one order, any cursor."""

import itertools
import threading
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.followers import FOLLOWERS
from tests.support.followers import Follower
from tests.support.followers import View
from tests.support.followers import place
from tests.support.person import Person
from tests.support.service import Service

Follow = Callable[..., Follower]


@pytest.fixture(params=["stream", "poll"])
def follow(request: pytest.FixtureRequest) -> Iterator[Follow]:
    """Open followers of one transport; they are closed at the end."""
    opened: list[Follower] = []

    def open_follower(*args: Any, **options: Any) -> Follower:
        opened.append(FOLLOWERS[request.param](*args, **options))
        return opened[-1]

    yield open_follower
    for follower in opened:
        follower.close()


def say(person: Person, room: str, count: int, start: int = 0) -> list[dict[str, Any]]:
    return [person.send(room, f"message {number}") for number in range(start, start + count)]


def bodies(messages: list[dict[str, Any]]) -> list[str]:
    return [message["body"] for message in messages]


def take_messages(follower: Follower, count: int) -> list[dict[str, Any]]:
    messages = []
    while len(messages) < count:
        event = follower.next()
        if event["type"] == "message.created":
            messages.append(event["message"])
    return messages


def test_live_messages_arrive_once_and_in_order(follow: Follow, ada: Person, bob: Person, room: str) -> None:
    follower = follow(bob, rooms=room)
    sent = say(ada, room, 30)
    received = take_messages(follower, 30)
    assert [one["id"] for one in received] == [one["id"] for one in sent]
    assert received == sent


def test_every_cursor_handed_out_can_be_continued_from(follow: Follow, ada: Person, bob: Person, room: str) -> None:
    start = ada.cursor()
    sent = say(ada, room, 25)
    for cut in (0, 1, 12, 24):
        since = sent[cut - 1]["cursor"] if cut else start
        follower = follow(bob, since=since, rooms=room)
        assert bodies(take_messages(follower, 25 - cut)) == bodies(sent[cut:])


def test_from_the_beginning_everything_comes(follow: Follow, ada: Person, bob: Person, room: str) -> None:
    sent = say(ada, room, 10)
    follower = follow(bob, since="0-0", rooms=room)
    assert bodies(take_messages(follower, 10)) == bodies(sent)


def test_changing_transports_in_the_middle_loses_and_repeats_nothing(ada: Person, bob: Person, room: str) -> None:
    cursor = bob.cursor()
    received: list[str] = []
    for turn, kind in enumerate(itertools.islice(itertools.cycle(FOLLOWERS), 6)):
        say(ada, room, 7, start=7 * turn)
        follower = FOLLOWERS[kind](bob, since=cursor, rooms=room)
        received += bodies(take_messages(follower, 5 if turn % 2 else 7))
        cursor = follower.cursor
        follower.close()
        last = FOLLOWERS["poll"](bob, since=cursor, rooms=room)
    received += bodies(take_messages(last, 42 - len(received)))
    assert received == [f"message {number}" for number in range(42)]


def test_cut_connections_lose_nothing(ada: Person, bob: Person, room: str) -> None:
    """The reader cuts its connection every few messages, wherever it stands, and comes back with what it has."""
    stop = threading.Event()
    sender = threading.Thread(target=lambda: [ada.send(room, f"message {number}") for number in range(60)])
    cursor, received = bob.cursor(), []
    sender.start()
    while len(received) < 60:
        follower = FOLLOWERS["stream"](bob, since=cursor, rooms=room)
        received += bodies(take_messages(follower, min(7, 60 - len(received))))
        cursor = follower.cursor
        follower.close()
        sender.join()
    stop.set()
    assert received == [f"message {number}" for number in range(60)]


def test_all_readers_see_one_order(follow: Follow, service: Service, ada: Person, bob: Person, room: str) -> None:
    with Person(service.url) as cem, Person(service.url) as dan:
        for person in (cem, dan):
            person.join(room)
        followers = [follow(person, rooms=room) for person in (ada, bob)]
        senders = [
            threading.Thread(target=lambda who=who: [who.send(room, f"{who.id} {number}") for number in range(15)])
            for who in (cem, dan)
        ]
        for thread in senders:
            thread.start()
        seen = [[one["id"] for one in take_messages(follower, 30)] for follower in followers]
        for thread in senders:
            thread.join()
        history = ada.history(room)
        assert seen[0] == seen[1] == [one["id"] for one in history]
        assert [place(one["cursor"]) for one in history] == sorted(place(one["cursor"]) for one in history)
        for who in (cem, dan):
            mine = [one["body"] for one in history if one["sender"]["id"] == who.id]
            assert mine == [f"{who.id} {number}" for number in range(15)]


def test_edit_and_withdrawal_arrive_live_and_folded(follow: Follow, ada: Person, bob: Person, room: str) -> None:
    start = bob.cursor()
    live = follow(bob, since=start, rooms=room)
    first, second = say(ada, room, 2)
    edited = ada.http.patch(f"/messages/{first['id']}", json={"body": "better"}).json()
    gone = ada.http.delete(f"/messages/{second['id']}").json()
    assert (edited["body"], gone["body"]) == ("better", "")
    view = View()
    while (second["id"] not in view.messages) or not view.messages[second["id"]]["deletedAt"]:
        view.take(live.next())
    late = follow(bob, since=start, rooms=room)
    folded = View()
    while len(folded.messages) < 2:
        folded.take(late.next())
    for picture in (view, folded):
        assert picture.messages[first["id"]]["body"] == "better"
        assert picture.messages[second["id"]]["deletedAt"] == gone["deletedAt"]


def test_a_room_joined_while_connected_is_followed_from_there(follow: Follow, ada: Person, bob: Person) -> None:
    follower = follow(bob)
    room = ada.create_room()
    ada.send(room, "before")
    bob.join(room)
    ada.send(room, "after")
    events = [follower.next()]
    while events[-1].get("message", {}).get("body") != "after":
        events.append(follower.next())
    types = [(one["type"], one.get("message", {}).get("body")) for one in events if one["room"] == room]
    assert types == [("member.joined", None), ("message.created", "after")]
    assert bodies(bob.history(room)) == ["before", "after"]


def test_a_removed_member_hears_nothing_more(follow: Follow, ada: Person, bob: Person, private_room: str) -> None:
    start = bob.cursor()
    follower = follow(bob, since=start)
    ada.send(private_room, "with Bob")
    events = [follower.next()]
    ada.remove(private_room, bob)
    ada.send(private_room, "without Bob")
    bob.send("general", "and on it goes")
    while events[-1].get("message", {}).get("body") != "and on it goes":
        events.append(follower.next())
    mine = [(one["type"], one.get("message", {}).get("body")) for one in events if one["room"] == private_room]
    assert mine == [("message.created", "with Bob"), ("member.left", None)]
    # A replay from an old cursor tells nothing of the room but the leaving itself.
    again = bob.poll(start, wait=0)["events"]
    assert [one["type"] for one in again if one["room"] == private_room] == ["member.left"]


def test_with_an_open_poll_a_removed_member_gets_no_message(ada: Person, bob: Person, private_room: str) -> None:
    start = bob.cursor()
    answers: list[dict[str, Any]] = []
    waiting = threading.Thread(target=lambda: answers.append(bob.poll(start, wait=20, rooms=private_room)))
    waiting.start()
    ada.remove(private_room, bob)
    ada.send(private_room, "secret")
    waiting.join(15)
    assert [one["type"] for one in answers[0]["events"]] == ["member.left"]
    answer = bob.http.get("/events/poll", params={"since": answers[0]["cursor"], "rooms": private_room})
    assert answer.status_code == 404


def test_a_status_is_for_the_sender_alone(ada: Person, bob: Person, room: str) -> None:
    start = ada.cursor()
    message = ada.send(room, "did it arrive?")
    bob.poll(message["cursor"], wait=0, rooms=room)
    with ada.stream(since=start, rooms=room) as stream:
        status = stream.until("message.status", messageId=message["id"])
    assert status.data["status"] == "delivered"
    assert status.data["deliveredTo"] == 1
    assert status.data["localId"] == message["localId"]
    assert not [one for one in bob.poll(start, wait=0, rooms=room)["events"] if one["type"] == "message.status"]


def test_poll_without_since_answers_at_once_with_the_current_cursor(ada: Person, room: str) -> None:
    sent = ada.send(room, "already there")
    answer = ada.poll()
    assert answer["events"] == []
    assert answer["more"] is False
    assert place(answer["cursor"]) >= place(sent["cursor"]) or ada.poll(answer["cursor"], wait=1)["events"]


def test_poll_ends_after_its_wait_with_a_usable_cursor(ada: Person, room: str) -> None:
    cursor = ada.cursor()
    answer = ada.poll(cursor, wait=1, rooms=room)
    assert answer["events"] == []
    assert place(answer["cursor"]) >= place(cursor)


def test_poll_pages_with_more(ada: Person, room: str) -> None:
    # Not where this worker stands: a joining could still be on its way to it.
    start = ada.send(room, "before all")["cursor"]
    sent = say(ada, room, 5)
    page = ada.poll(start, wait=5, limit=2, rooms=room)
    assert (bodies([one["message"] for one in page["events"]]), page["more"]) == (bodies(sent[:2]), True)
    rest = ada.poll(page["cursor"], wait=5, limit=200, rooms=room)
    assert bodies([one["message"] for one in rest["events"]]) == bodies(sent[2:])


def test_last_event_id_wins_over_since(ada: Person, room: str) -> None:
    first, second, third = say(ada, room, 3)
    with ada.stream(since=first["cursor"], last_event_id=second["cursor"], rooms=room) as stream:
        assert stream.next().id == second["cursor"]
        assert stream.messages(1)[0]["id"] == third["id"]


def test_lost_rooms_are_left_out_of_a_return_but_not_of_a_first_visit(
    ada: Person, bob: Person, private_room: str, room: str
) -> None:
    cursor = bob.cursor()
    ada.remove(private_room, bob)
    both = f"{room},{private_room}"
    with bob.stream(since=cursor, rooms=both) as refused:
        assert (refused.status, refused.problem()["code"]) == (404, "not_found")
    with bob.stream(last_event_id=cursor, rooms=both) as lenient:
        assert lenient.next().data["rooms"] == [room]
    with bob.stream(last_event_id=cursor, rooms=private_room) as nothing_left:
        assert nothing_left.status == 404


def test_stream_frames(ada: Person, room: str) -> None:
    with ada.stream(rooms=room) as stream:
        ready = stream.next()
        assert ready.data["type"] == "ready"
        assert ready.id == ready.data["cursor"]
        assert ready.data["rooms"] == [room]
        assert ready.data["user"] == ada.user
        assert ready.data["heartbeatSeconds"] == 15
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert "no-transform" in stream.headers["cache-control"]
        assert stream.headers["x-accel-buffering"] == "no"
        sent = ada.send(room, "line one\nline two\n\nid: 1-1\nevent: closing\ndata: {}")
        event = stream.until("message.created")
        assert event.raw.split("\n")[:2] == [f"id: {sent['cursor']}", "event: message.created"]
        assert event.raw.count("\n") == 2
        assert event.data["message"] == sent


FUTURE = "9999999999999-0"


def test_a_cursor_that_was_never_handed_out_is_reset(ada: Person, room: str) -> None:
    answer = ada.poll(FUTURE, wait=0)
    assert answer["reset"] is True
    assert answer["events"] == []
    with ada.stream(since=FUTURE, rooms=room) as stream:
        assert stream.next().type == "ready"
        reset = stream.next()
        assert (reset.type, bool(reset.data["reason"])) == ("reset", True)
        sent = ada.send(room, "on from here")
        assert stream.messages(1)[0]["id"] == sent["id"]


def test_a_cursor_a_little_ahead_waits_for_nothing_in_silence(
    follow: Follow, ada: Person, bob: Person, room: str
) -> None:
    milliseconds = place(ada.cursor())[0] + 20_000
    ahead = f"{milliseconds}-0"
    assert "reset" not in bob.poll(ahead, wait=0, rooms=room)
    follower = follow(bob, since=ahead, rooms=room)
    sent = ada.send(room, "not lost behind a clock")
    assert take_messages(follower, 1)[0]["id"] == sent["id"]
    assert place(sent["cursor"]) > place(ahead)


NO_CURSORS = ["$", "+", "-", "*", " 1", "1 ", "-1", "1", "1-", "-1-0", "1-0-0", "0x1-0", "1.5-0", "٣-٠", "01-0", ""]
NO_CURSORS += ["1-0\r\nid: 2-0", "1" * 10_000, f"{2**64}-0"]


@pytest.mark.parametrize(
    "cursor",
    NO_CURSORS,
)
def test_what_is_no_cursor_is_refused(ada: Person, cursor: str) -> None:
    if len(cursor) < 5000:
        for path in ("/events/stream", "/events/poll"):
            answer = ada.http.get(path, params={"since": cursor})
            assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor"), path
        for side in ("before", "after"):
            answer = ada.http.get("/rooms/general/messages", params={side: cursor})
            assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor"), side
    answer = ada.ack(cursor)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("cursor", ["$", "1", "abc", "1-0\x01"])
def test_what_is_no_last_event_id_is_refused(ada: Person, cursor: str) -> None:
    with ada.stream(last_event_id=cursor) as stream:
        assert stream.status == 400


@pytest.mark.parametrize(
    "query",
    [{"wait": "56"}, {"wait": "-1"}, {"wait": "x"}, {"limit": "0"}, {"limit": "1e3"}, {"sice": "0-0"}, {"wait": "٣"}],
)
def test_a_wrong_query_is_refused(ada: Person, query: dict[str, str]) -> None:
    answer = ada.http.get("/events/poll", params=query)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")


def test_the_cache_buster_of_old_browsers_is_ignored(ada: Person) -> None:
    assert ada.http.get("/events/poll", params={"_": "1"}).status_code == 200
