"""What is older than it is to be kept goes, for everyone, and whoever reads goes on without a gap."""

import signal
import threading
from typing import Any

from tests.conftest import Start
from tests.support.operator import Operator
from tests.support.person import Person
from tests.support.processes import wait_until
from tests.support.service import Service

OLD = ("prune", "--older-than", "90d")


def say(who: Person, room: str, count: int, word: str) -> list[dict[str, Any]]:
    """Many at once."""
    items = [
        {"room": room, "localId": f"{room}-{word}-{number}", "body": f"{word} {number}"} for number in range(count)
    ]
    said = []
    while items:
        results = who.batch(*items[:100]).json()["results"]
        # On a busy machine a batch has no time for all of them: the others are sent again.
        done = [one["message"] for one in results if "message" in one]
        said += done
        sent = {one["localId"] for one in done}
        items = [one for one in items if one["localId"] not in sent]
    wait_until(lambda: who.history(room)[-1]["cursor"], what="the last cursor")
    return said


def aged(operator: Operator, ada: Person, days: int) -> None:
    """As if nothing had been said for so long."""
    operator.age(days)
    ada.send("general", "the only one in the windows")


def read_on(who: Person, room: str, since: str, limit: int) -> list[dict[str, Any]]:
    """All events of the room behind a cursor, a few at a time."""
    events: list[dict[str, Any]] = []
    while True:
        answer = who.poll(since, limit=limit, wait=0)
        events += [one for one in answer["events"] if one["room"] == room]
        if not answer["more"]:
            return events
        since = answer["cursor"]


def picture(events: list[dict[str, Any]]) -> dict[str, str]:
    """Messages by id, as a client folds them, in the order of their cursors."""
    messages = {one["message"]["id"]: one["message"] for one in events if "message" in one}
    return {id_: one["body"] for id_, one in sorted(messages.items(), key=lambda pair: places(pair[1]["cursor"]))}


def places(cursor: str) -> tuple[int, ...]:
    return tuple(int(part) for part in cursor.split("-"))


def test_readers_with_old_cursors_go_on_while_it_prunes(operator: Operator, ada: Person, bob: Person) -> None:
    room = ada.create_room()
    bob.join(room)
    since = bob.cursor()
    old = say(ada, room, 500, "old")
    assert ada.http.delete(f"/messages/{old[3]['id']}").status_code == 200
    bob.http.delete(f"/rooms/{room}/members/me")
    bob.join(room)
    middle = bob.cursor()
    aged(operator, ada, 100)
    since, middle = (f"{int(cursor.split('-')[0]) - 100 * 86_400_000}-0" for cursor in (since, middle))
    young = say(ada, room, 50, "young")
    edited = ada.http.patch(f"/messages/{old[7]['id']}", json={"body": "edited lately"}).json()

    seen: list[dict[str, str]] = []
    failed: list[BaseException] = []
    done = threading.Event()

    def follow() -> None:
        try:
            with Person(bob.url, token=bob.token) as reader:
                while not done.is_set():
                    seen.append(picture(read_on(reader, room, since, 20)))
        except BaseException as error:
            failed.append(error)

    readers = [threading.Thread(target=follow) for _ in range(2)]
    for one in readers:
        one.start()
    wait_until(lambda: len(seen) > 2, what="the readers")
    assert "would remove: 499 messages" in operator.run(*OLD, "--dry-run")
    assert operator.count("messages", "body LIKE 'old%'") == 498
    out = operator.run(*OLD)
    done.set()
    for one in readers:
        one.join(30)
    assert failed == []
    assert out.startswith("removed: 499 messages, ")

    kept = {edited["id"]: "edited lately", **{one["id"]: one["body"] for one in young}}
    # Whoever read meanwhile missed nothing of what is kept, and saw all in order.
    assert all(kept.items() <= one.items() for one in seen)
    assert {one["id"]: one["body"] for one in ada.history(room)} == kept
    for cursor in (since, middle, "0-0"):
        assert picture(read_on(bob, room, cursor, 7)) == kept
        assert picture(read_on(ada, room, cursor, 200)) == kept
    # The membership began again, and that is told.
    assert [one["type"] for one in read_on(bob, room, "0-0", 50) if one.get("user", {}).get("id") == bob.id] == [
        "member.joined"
    ]
    with bob.stream(since=since, rooms=room) as stream:
        told = []
        while len(told) < 51:
            event = stream.next()
            told += [event.data["message"]["body"]] if event.type == "message.created" else []
        assert told == ["edited lately", *(one["body"] for one in young)]
    assert ada.http.get(f"/messages/{old[0]['id']}").status_code == 404
    assert operator.run(*OLD) == "removed: nothing\n"
    assert operator.run("prune", "--older-than", "1h", "--room", room) == "removed: nothing\n"
    # The localId of what is gone may begin something else.
    assert ada.post(room, "again", f"{room}-old-0").status_code == 201


def test_killed_in_the_middle_it_goes_on_the_next_time(operator: Operator, ada: Person) -> None:
    room = ada.create_room()
    say(ada, room, 1_000, "old")
    aged(operator, ada, 100)
    young = say(ada, room, 5, "young")
    process = operator.start(*OLD)
    wait_until(lambda: operator.count("messages", "body LIKE 'old%'") < 1_000, what="the first step")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    left = operator.count("messages", "body LIKE 'old%'")
    assert 0 < left < 1_000
    assert len(ada.history(room)) == left + 5
    operator.run(*OLD)
    assert [one["id"] for one in ada.history(room)] == [one["id"] for one in young]
    assert operator.count("events", "message_id NOT IN (SELECT id FROM messages)") == 0


def test_only_what_was_said_in_one_room(operator: Operator, ada: Person) -> None:
    rooms = [ada.create_room() for _ in range(2)]
    for room in rooms:
        say(ada, room, 3, "old")
    aged(operator, ada, 100)
    assert "removed: 3 messages" in operator.run(*OLD, "--room", rooms[0])
    assert [len(ada.history(room)) for room in rooms] == [0, 3]
    assert "there is no room no-such" in operator.run(*OLD, "--room", "no-such", code=1)
    assert "--room needs --older-than" in operator.run("prune", "--room", rooms[0], code=2)
    assert "no age such as 90d" in operator.run("prune", "--older-than", "5", code=2)


def test_guests_who_are_gone_leave_and_lose_their_names(operator: Operator, own: Service, ada: Person) -> None:
    room = ada.create_room()
    with Person(own.url, "Talker") as talker, Person(own.url, "Silent") as silent, Person(own.url, "Late") as late:
        for one in (talker, silent, late):
            one.join(room)
        talker.send(room, "still here")
        for one, days in ((talker, 61), (silent, 61), (late, 29)):
            ended = f"'{days} days'::interval" if "DATABASE_URL" in own.settings else None
            then = f"now() - {ended}" if ended else f"strftime('%Y-%m-%d %H:%M:%f', 'now', '-{days} days')"
            operator.write(f"UPDATE sessions SET expires_at = {then} WHERE user_id = :user", user=one.id)
        with ada.stream(rooms=room) as stream:
            stream.until("ready")
            out = operator.run("prune")
            assert "2 sessions, 4 memberships, 1 guests" in out
            left = {stream.until("member.left", 20).data["user"]["id"] for _ in range(2)}
        assert left == {talker.id, silent.id}
        names = dict(operator.rows("SELECT id, name FROM users"))
        assert (names[talker.id], names[silent.id], names[late.id]) == ("Talker", "Guest", "Late")
        assert late.http.post("/session", json={"name": "x"}).json()["user"]["id"] == late.id
        # With the last message the name goes, and with the time whatever told of the coming and going.
        aged(operator, ada, 100)
        assert "1 guests" in operator.run(*OLD)
        assert dict(operator.rows("SELECT id, name FROM users"))[talker.id] == "Guest"
        gone = "user_id = :talker OR user_id = :silent"
        for table in ("events", "receipts", "memberships", "sessions"):
            assert operator.count(table, gone, talker=talker.id, silent=silent.id) == 0, table
        assert operator.count("events", "user_id = :late", late=late.id) == 2


def test_the_service_prunes_by_itself(start_service: Start) -> None:
    service = start_service("postgres")
    operator = Operator(service)
    with Person(service.url, "Ada") as ada:
        room = ada.create_room()
        say(ada, room, 300, "old")
        service.process.stop()
        operator.age(8)
        service.settings["CHATAPP_KEEP_DAYS"] = "7"
        service.start_again()
        wait_until(lambda: ada.history(room) == [], what="the room to be empty")
        wait_until(lambda: "pruned: 300 messages" in service.log(), what="the line in the log")
        young = ada.send(room, "of today")
        assert ada.history(room) == [young]
        assert ada.http.get("/rooms").status_code == 200
