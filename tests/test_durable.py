"""Rooms and growing messages, read by the public clients of Durable Streams."""

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import ExitStack
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Start
from tests.durable.follower import CLIENTS
from tests.durable.follower import Follower
from tests.support.person import Person
from tests.support.person import new_local_id
from tests.support.processes import wait_until
from tests.support.service import ROOT
from tests.support.service import Service
from tests.support.tcp_proxy import TcpProxy

BACKLOG = 150
LIVE = ("long-poll", "sse")
STREAM_S = 1.5


@pytest.fixture(scope="module", params=["postgres", "sqlite"])
def service(request: pytest.FixtureRequest, start_service: Start) -> Service:
    """What is older than 50 events comes from the database, and streams are short."""
    small = {"CHATAPP_LOG_MAXLEN": "100", "CHATAPP_WINDOW": "50", "CHATAPP_STREAM_SECONDS": str(STREAM_S)}
    return start_service(request.param, **small)


@pytest.fixture(scope="module")
def long_room(service: Service) -> Iterator[tuple[Person, str, list[str]]]:
    """Somebody in a room that holds far more than the window, and what was said there."""
    with Person(service.url, "Ada") as ada:
        room = ada.create_room()
        bodies = [f"message {number}" for number in range(BACKLOG)]
        for first in range(0, BACKLOG, 50):
            parts = bodies[first : first + 50]
            ada.batch(*({"room": room, "localId": new_local_id(), "body": body} for body in parts))
        wait_until(lambda: all(one["cursor"] for one in ada.history(room)), what="the cursors")
        yield ada, room, bodies


def begin(who: Person, room: str, body: str = "") -> dict[str, Any]:
    answer = who.http.post(f"/rooms/{room}/messages", json={"localId": new_local_id(), "body": body, "growing": True})
    assert answer.status_code == 201, answer.text
    message: dict[str, Any] = answer.json()
    return message


def grow(who: Person, message: dict[str, Any], at: int, text: str) -> None:
    answer = who.http.post(f"/messages/{message['id']}/append", json={"at": at, "text": text})
    assert answer.status_code == 200, answer.text


def finish(who: Person, message: dict[str, Any], **new: Any) -> None:
    answer = who.http.post(f"/messages/{message['id']}/finish", json=new)
    assert answer.status_code == 200, answer.text


def read(who: Person, path: str, status: int = 200, **query: Any) -> httpx.Response:
    answer = who.http.get(f"/durable/{path}", params=query)
    assert answer.status_code == status, answer.text
    return answer


@contextmanager
def everybody(who: Person, path: str, *, live: Iterable[Any] = LIVE, **options: Any) -> Iterator[list[Follower]]:
    """Each client in each of these modes, side by side."""
    with ExitStack() as open_:
        yield [
            open_.enter_context(Follower(client, who, path, live=mode, **options))
            for client in CLIENTS
            for mode in live
        ]


def test_a_room_is_caught_up_with(long_room: tuple[Person, str, list[str]]) -> None:
    ada, room, bodies = long_room
    with everybody(ada, room, live=[False]) as followers:
        for follower in followers:
            follower.to_the_end()
            assert follower.bodies == bodies
            assert follower.lines[-1]["upToDate"]


def test_a_room_is_followed_through_cuts_without_a_gap(
    service: Service, long_room: tuple[Person, str, list[str]]
) -> None:
    ada, room, bodies = long_room

    def say(body: str) -> None:
        bodies.append(body)
        ada.send(room, body)

    with TcpProxy("127.0.0.1", service.port) as proxy, everybody(ada, room, url=proxy.url) as followers:

        def all_have_it() -> None:
            for follower in followers:
                follower.until(lambda: len(follower.bodies) >= len(bodies))  # noqa: B023

        all_have_it()
        begun_s = time.monotonic()
        for number in range(4):
            say(f"live {number}")
            if number in (1, 2):
                proxy.cut()
                say(f"while it is cut {number}")
                proxy.restore()
            all_have_it()
        # By then the server has ended each stream at least once by itself.
        wait_until(lambda: time.monotonic() > begun_s + 2 * STREAM_S, what="renewals")
        say("on another stream")
        all_have_it()
        for follower in followers:
            assert follower.bodies == bodies
            offsets = [line["offset"] for line in follower.lines if "offset" in line]
            assert offsets == sorted(offsets)


def test_an_offset_outside_the_window_is_continued_from_page_by_page(long_room: tuple[Person, str, list[str]]) -> None:
    ada, room, bodies = long_room
    start = next(one["cursor"] for one in ada.history(room) if one["body"] == bodies[9])
    milliseconds, _, sequence = start.partition("-")
    offset = f"{int(milliseconds):013d}-{int(sequence):07d}"
    found: list[str] = []
    up_to_date = False
    while not up_to_date:
        answer = read(ada, room, offset=offset)
        found += [one["message"]["body"] for one in answer.json()]
        assert answer.headers["Stream-Next-Offset"] > offset
        offset, up_to_date = answer.headers["Stream-Next-Offset"], "Stream-Up-To-Date" in answer.headers
    assert found == bodies[10:]


def test_a_message_is_read_as_it_is_written(service: Service) -> None:
    with Person(service.url, "Model") as model, Person(service.url, "Bob") as bob:
        room = model.create_room("private")
        model.invite(room, bob)
        message = begin(model, room, "Once")
        path, text = f"messages/{message['id']}", "Once"
        with everybody(bob, path) as readers:
            for piece in (" upon\n", "\n", " a tïme 🙂", "\n", "end"):
                for reader in readers:
                    reader.until(partial(reader.says, text))
                grow(model, message, len(text), piece)
                text += piece
            for reader in readers:
                reader.until(partial(reader.says, text))
                assert not any(line["closed"] for line in reader.lines if "closed" in line)
            finish(model, message)
            for reader in readers:
                reader.to_the_end()
                assert (reader.text, reader.lines[-1]["closed"]) == (text, True)
                assert reader.lines[-1]["offset"] == f"{len(text):010d}"
        with everybody(bob, path, live=["long-poll"]) as late:
            for reader in late:
                reader.to_the_end()
                assert (reader.text, reader.lines[-1]["closed"]) == (text, True)


def test_the_text_of_any_message_is_read_and_closed(service: Service) -> None:
    with Person(service.url, "Ada") as ada:
        room = ada.create_room()
        message = ada.send(room, "grüße\n🙂")
        path = f"messages/{message['id']}"
        answer = read(ada, path)
        assert (answer.content, answer.headers["Stream-Closed"]) == ("grüße\n🙂".encode(), "true")
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert read(ada, path, offset="0000000006").text == "🙂"
        tail = answer.headers["Stream-Next-Offset"]
        assert tail == "0000000007"
        assert read(ada, path, offset=tail).content == b""
        # Whoever waits at its end is told at once, in every mode.
        for offset in (tail, "now"):
            closed = read(ada, path, 204, offset=offset, live="long-poll")
            assert (closed.headers["Stream-Closed"], closed.headers["Stream-Next-Offset"]) == ("true", tail)
            assert '"streamClosed":true' in read(ada, path, offset=offset, live="sse").text
        head = ada.http.head(f"/durable/{path}")
        assert (head.headers["Stream-Next-Offset"], head.headers["Stream-Closed"]) == (tail, "true")
        assert head.headers["Cache-Control"] == "no-store"


def test_an_edit_shows_the_present_text_and_a_withdrawal_none(service: Service) -> None:
    with Person(service.url, "Ada") as ada:
        room = ada.create_room()
        message = ada.send(room, "hello there")
        path = f"messages/{message['id']}"
        known = {one: read(ada, one).headers["ETag"] for one in (path, room)}
        for one, etag in known.items():
            same = ada.http.get(f"/durable/{one}", headers={"If-None-Match": etag})
            assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", etag)
            assert same.headers["Cache-Control"] == "private, no-cache"
        ada.http.patch(f"/messages/{message['id']}", json={"body": "hi"})
        wait_until(lambda: read(ada, room).json()[-1]["type"] == "message.updated", what="the edit")
        for one, etag in known.items():
            assert ada.http.get(f"/durable/{one}", headers={"If-None-Match": etag}).status_code == 200
        assert read(ada, path).text == "hi"
        # Behind its new end, there is nothing, and an offset never goes back.
        behind = read(ada, path, offset="0000000011")
        assert (behind.content, behind.headers["Stream-Next-Offset"]) == (b"", "0000000011")
        # The same item, at the same place, shows what it says now.
        created = next(one for one in read(ada, room).json() if one["type"] == "message.created")
        assert created["message"]["body"] == "hi"
        ada.http.delete(f"/messages/{message['id']}")
        gone = read(ada, path)
        assert (gone.content, gone.headers["Stream-Closed"]) == (b"", "true")


def test_an_end_with_another_body_is_read_from_the_same_place_on(service: Service) -> None:
    with Person(service.url, "Ada") as ada:
        message = begin(ada, ada.create_room(), "12345")
        path = f"messages/{message['id']}"
        before = read(ada, path)
        assert "Stream-Closed" not in before.headers
        finish(ada, message, body="abcdefgh")
        after = read(ada, path, offset=before.headers["Stream-Next-Offset"])
        assert (after.text, after.headers["Stream-Closed"]) == ("fgh", "true")
        assert read(ada, path).text == "abcdefgh"


def test_now_skips_what_there_is(service: Service) -> None:
    with Person(service.url, "Ada") as ada:
        room = ada.create_room()
        ada.send(room, "before")
        wait_until(lambda: len(read(ada, room).json()) == 2, what="both events")
        now = read(ada, room, offset="now")
        assert (now.json(), now.headers["Stream-Up-To-Date"]) == ([], "true")
        assert (now.headers["Cache-Control"], "ETag" in now.headers) == ("no-store", False)
        found: list[httpx.Response] = []
        with Person(service.url, token=ada.token) as again:
            waiting = threading.Thread(
                target=lambda: found.append(read(again, room, offset="now", live="long-poll", timeout=10))
            )
            waiting.start()
            wait_until(lambda: held(service, "poll") >= 1, what="the poll")
            ada.send(room, "after")
            waiting.join()
        assert [one["message"]["body"] for one in found[0].json()] == ["after"]
        assert found[0].headers["Stream-Next-Offset"] > now.headers["Stream-Next-Offset"]
        said = read(ada, room, offset="now", live="sse").text
        assert said.count("event: data") == 0
        assert said.startswith(':\n\nevent: control\ndata: {"streamNextOffset":"')
        assert '"upToDate":true' in said


def held(service: Service, transport: str) -> float:
    """How many connections there are, in all workers."""
    lines = httpx.get(f"{service.url}/metrics").text.splitlines()
    name = f'chat_connections{{transport="{transport}"}} '
    return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))


def test_a_poll_that_finds_nothing_says_where_to_go_on(service: Service) -> None:
    with Person(service.url, "Ada") as ada:
        room = ada.create_room()
        wait_until(lambda: read(ada, room).json(), what="the joining")
        offset = read(ada, room).headers["Stream-Next-Offset"]
        nothing = read(ada, room, 204, offset=offset, live="long-poll", timeout=0)
        assert nothing.headers["Stream-Up-To-Date"] == "true"
        assert nothing.headers["Stream-Next-Offset"] >= offset
        cursor = nothing.headers["Stream-Cursor"]
        later = read(ada, room, 204, offset=offset, live="long-poll", timeout=0, cursor=cursor)
        assert int(later.headers["Stream-Cursor"]) > int(cursor)


def test_bad_requests_are_refused_and_writing_goes_elsewhere(service: Service) -> None:
    with Person(service.url, "Ada") as ada:
        room = ada.create_room()
        message = begin(ada, room, "four")
        text = f"messages/{message['id']}"
        for path, query, code in (
            (room, {"offset": "here"}, "invalid_cursor"),
            (room, {"offset": "1763781234567-0"}, "invalid_cursor"),
            (room, {"offset": "1763781234567-9999999"}, "invalid_cursor"),
            (room, {"offset": "9999999999999-0000000"}, "invalid_cursor"),
            (room, {"offset": "0000000004"}, "invalid_cursor"),
            (text, {"offset": "4"}, "invalid_cursor"),
            (text, {"offset": "0000000005"}, "invalid_cursor"),
            (room, {"live": "sse"}, "invalid_parameter"),
            (room, {"live": "long-poll"}, "invalid_parameter"),
            (room, {"offset": "-1", "live": "websocket"}, "invalid_parameter"),
            (room, {"offset": "-1", "cursor": "x"}, "invalid_parameter"),
            (room, {"ofset": "-1"}, "invalid_parameter"),
        ):
            assert read(ada, path, 400, **query).json()["code"] == code, (path, query)
        for path in (room, text):
            for method in ("POST", "PUT", "DELETE"):
                refused = ada.http.request(method, f"/durable/{path}", json={})
                assert (refused.status_code, refused.json()["code"]) == (405, "method_not_allowed")
                assert set(refused.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
            assert httpx.get(f"{service.url}/api/v1/durable/{path}").status_code == 401
        head = ada.http.head(f"/durable/{room}")
        assert (head.headers["Content-Type"], head.content) == ("application/json", b"")
        assert head.headers["Stream-Next-Offset"] >= read(ada, room, offset="now").headers["Stream-Next-Offset"]


def test_a_stranger_hears_of_no_private_room(service: Service) -> None:
    with Person(service.url, "Ada") as ada, Person(service.url, "Eve") as eve:
        room = ada.create_room("private")
        message = begin(ada, room, "secret")
        for path in (room, f"messages/{message['id']}", "nowhere", "messages/nothing"):
            for query in ({}, {"offset": "-1", "live": "long-poll"}, {"offset": "-1", "live": "sse"}):
                assert read(eve, path, 404, **query).json()["code"] == "not_found"
            assert eve.http.head(f"/durable/{path}").status_code == 404


def test_who_is_removed_hears_nothing_more(service: Service) -> None:
    with Person(service.url, "Ada") as ada, Person(service.url, "Bob") as bob:
        room = ada.create_room("private")
        ada.invite(room, bob)
        path = f"messages/{begin(ada, room, 'so far')['id']}"
        with everybody(bob, room) as followers, everybody(bob, path, live=["sse"]) as readers:
            for reader in readers:
                reader.until(partial(reader.says, "so far"))
            for follower in followers:
                follower.until(lambda: follower.items and follower.bodies == ["so far"])  # noqa: B023
            ada.remove(room, bob)
            ada.http.post(f"/{path}/append", json={"at": 6, "text": " and no further"})
            ada.send(room, "among ourselves")
            for follower in followers:
                follower.to_the_end()
                assert follower.bodies == ["so far"]
                assert follower.items[-1]["type"] == "member.left"
            for reader in readers:
                reader.to_the_end()
                assert reader.text == "so far"
            assert [one.lines[-1] for one in (*followers, *readers)] == [{"refused": 404}] * 6


def test_a_visitor_of_a_public_room_reads_what_grows_there(service: Service) -> None:
    with Person(service.url, "Ada") as ada, Person(service.url, "Eve") as eve:
        message = begin(ada, ada.create_room(), "It")
        with Follower("javascript", eve, f"messages/{message['id']}", live="sse") as reader:
            reader.until(lambda: reader.text == "It")
            grow(ada, message, 2, " grows")
            reader.until(lambda: reader.text == "It grows")


@pytest.fixture
def patient(start_service: Start) -> Service:
    """Streams last, two for each user."""
    return start_service("sqlite", CHATAPP_MAX_CONNECTIONS_PER_USER="2", CHATAPP_HEARTBEAT_SECONDS="0.5")


def test_streams_are_counted_beat_and_end_with_session_and_service(patient: Service) -> None:
    with Person(patient.url, "Ada") as ada, Person(patient.url, "Bob") as bob:
        room = ada.create_room()
        message = begin(ada, room, "grows")
        asked = {"offset": "now", "live": "sse"}
        with (
            ada.http.stream("GET", f"/durable/{room}", params=asked) as of_room,
            ada.http.stream("GET", f"/durable/messages/{message['id']}", params=asked) as of_text,
        ):
            refused = read(ada, room, 429, **asked)
            assert (refused.json()["code"], refused.headers["Retry-After"]) == ("too_many_connections", "3")
            assert held(patient, "stream") == 2
            for answer in (of_room, of_text):
                lines = answer.iter_lines()
                # The first one comes at the beginning.
                assert [next(line for line in lines if line == ":") for _ in range(3)] == [":"] * 3
                answer.lines = lines  # type: ignore[attr-defined]
            ada.http.delete("/session")
            for answer in (of_room, of_text):
                list(answer.lines)  # type: ignore[attr-defined]
        wait_until(lambda: held(patient, "stream") == 0, what="no streams")
        with bob.http.stream("GET", f"/durable/{room}", params=asked) as last:
            lines = last.iter_lines()
            next(lines)
            patient.stop()
            assert '"streamNextOffset"' in "".join(lines)
    log = patient.log()
    assert log.count('"message":"stream over"') == 3
    assert log.count('"reason":"signed_out"') == 2


def program(language: str, number: int = 0) -> str:
    """One of those in the document."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "docs" / "durable.md").read_text(), re.DOTALL)[number]


def test_the_programs_of_the_document_do_what_it_says(service: Service, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    commands = {"room.mjs": ["node", program("js")], "room.py": [sys.executable, program("python")]}
    commands["reply.mjs"] = ["node", program("js", 1)]
    with Person(service.url, "Ada") as ada:
        room = ada.create_room()
        message = begin(ada, room, "It ")
        running = {}
        for name, (binary, code) in commands.items():
            (tmp_path / name).write_text(code)
            of = message["id"] if name == "reply.mjs" else room
            command = [binary, str(tmp_path / name), service.url, ada.token, of]
            running[name] = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            grow(ada, message, 3, "is written")
            finish(ada, message)
            assert running["reply.mjs"].communicate(timeout=30)[0] == "It is written"
            for name in ("room.mjs", "room.py"):
                said = running[name].stdout
                assert said is not None
                assert any("message.updated It is written" in line for line in said)
                ada.send(room, f"to {name}")
                assert any(f"message.created to {name}" in line for line in said)
        finally:
            for process in running.values():
                process.kill()
                process.communicate()
