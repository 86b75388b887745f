"""`/demo`: for nobody but the developer at this machine; its switches; and a process that never outlives the master."""

import json
import socket
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from tests.conftest import Start
from tests.support.person import new_local_id
from tests.support.processes import Process
from tests.support.processes import wait_until
from tests.support.service import Service

MESSAGES = "/api/v1/rooms/general/messages"
# A site that may use the API, and nothing else.
FRIEND = "http://friend.example"
ENDS_WITHIN_S = 10.0
# Longer than a stream needs for its first line on a busy machine.
NOTHING_FOR_S = 3.0


class Visitor:
    """Someone who has opened `/demo`, in whose frames Ada and Bob are signed in."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(timeout=15)
        self.page = self.http.get(f"{url}/demo")
        assert self.page.status_code == 200, self.page.text
        self.sides = {side["side"]: f"http://127.0.0.1:{side['port']}" for side in self.look()["sides"]}

    def __enter__(self) -> "Visitor":
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def look(self, after: int = 0) -> dict:
        answer = self.http.get(f"{self.url}/demo/log", params={"after": after})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def lines(self, side: str) -> list[str]:
        return [line["text"] for line in self.look()["lines"] if line["side"] == side]

    def post(self, path: str, wish: object, **headers: str) -> httpx.Response:
        content = json.dumps(wish)
        sent = {"Origin": self.url, "Content-Type": "application/json", **headers}
        return self.http.post(f"{self.url}/demo/{path}", content=content, headers=sent)

    def switch(self, side: str, name: str, on: bool = True) -> None:
        answer = self.post("switches", {"side": side, "switch": name, "on": on})
        assert answer.status_code == 200, answer.text
        [state] = [one for one in answer.json()["sides"] if one["side"] == side]
        assert state["switches"][name] is on

    def send(self, side: str, body: str, local_id: str) -> httpx.Response:
        return self.http.post(self.sides[side] + MESSAGES, json={"localId": local_id, "body": body})

    def bodies(self, side: str) -> list[str]:
        answer = self.http.get(self.sides[side] + MESSAGES)
        return [message["body"] for message in answer.json()["messages"]]


@pytest.fixture(scope="module")
def service(start_service: Start) -> Service:
    return start_service("sqlite", CHATAPP_ORIGINS=FRIEND)


@pytest.fixture
def visitor(service: Service) -> Iterator[Visitor]:
    with Visitor(service.url) as visitor:
        yield visitor
        for side in visitor.sides:
            for name in ("cut", "hold", "swallow"):
                visitor.switch(side, name, False)


def process_of(service: Service) -> psutil.Process:
    """The demonstration's process, which is wanted now."""
    with Visitor(service.url):
        process = service.demo()
    assert process is not None
    return process


PRODUCTION = {"CHATAPP_ENV": "production", "SECRET_KEY": "0123456789abcdef0123456789abcdef"}


@pytest.mark.parametrize("settings", [PRODUCTION, {"HOST": "0.0.0.0"}, {"CHATAPP_PROXIES": "1"}])
def test_it_is_not_there_but_for_developers(start_service: Start, settings: dict[str, str]) -> None:
    service = start_service("sqlite", **settings)
    assert_absent(service.url)
    assert not list((service.folder / "data").glob("demo*"))


class WideService(Service):
    """Its settings say that it is for this machine alone; gunicorn is told otherwise."""

    def _start(self) -> Process:
        self.settings["GUNICORN_CMD_ARGS"] = f"--bind 127.0.0.1:{self.port} --bind 0.0.0.0:0"
        return super()._start()


def test_it_is_not_there_where_gunicorn_listens_to_others(tmp_path: Path) -> None:
    service = WideService(tmp_path)
    try:
        assert_absent(service.url)
    finally:
        service.stop()


def assert_absent(url: str, **headers: str) -> None:
    sent = {"Origin": url, **headers}
    for path in ("/demo", "/demo/log"):
        answer = httpx.get(url + path, headers=sent)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert "Set-Cookie" not in answer.headers
    for path in ("/demo/switches", "/demo/kill"):
        assert httpx.post(url + path, json={}, headers=sent).status_code == 404


def test_other_names_and_proxies_do_not_lead_to_it(service: Service) -> None:
    """Any site may point its name at this machine, and a proxy in front lets in more than the machine."""
    port = urlsplit(service.url).port
    for headers in ({"Host": f"evil.example:{port}"}, {"X-Forwarded-For": "203.0.113.9"}, {"Forwarded": "for=_a"}):
        assert_absent(service.url, **headers)


def test_its_process_is_started_when_it_is_first_wanted(start_service: Start) -> None:
    service = start_service("sqlite")
    assert service.demo() is None
    process = process_of(service)
    listening = [one for one in process.net_connections("tcp") if one.status == psutil.CONN_LISTEN]
    assert [one.laddr.ip for one in listening] == ["127.0.0.1"] * 2


def test_only_its_frames_may_show_the_pages_and_only_through_its_ports(visitor: Visitor) -> None:
    policy = visitor.page.headers["Content-Security-Policy"]
    assert f"frame-src {visitor.sides['ada']} {visitor.sides['bob']}" in policy
    assert "unsafe" not in policy
    assert "<script>" not in visitor.page.text
    assert " style=" not in visitor.page.text
    host = urlsplit(visitor.url).netloc
    framed = httpx.get(visitor.sides["ada"]).headers["Content-Security-Policy"]
    assert f"frame-ancestors http://{host} http://{host.replace('127.0.0.1', 'localhost')}" in framed
    assert "frame-ancestors 'none'" in httpx.get(visitor.url).headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy


def test_both_are_signed_in_and_stay_who_they_are(visitor: Visitor) -> None:
    def who(side: str) -> dict:
        return visitor.http.get(f"{visitor.sides[side]}/api/v1/session").json()["user"]

    before = who("ada"), who("bob")
    assert [user["name"] for user in before] == ["Ada", "Bob"]
    again = visitor.http.get(f"{visitor.url}/demo")
    assert "Set-Cookie" not in again.headers
    assert (who("ada"), who("bob")) == before


def test_a_cut_network_takes_nothing_and_the_other_one_does(visitor: Visitor) -> None:
    visitor.switch("ada", "cut")
    with pytest.raises(httpx.TransportError):
        visitor.send("ada", "never", new_local_id())
    assert visitor.send("bob", "while Ada is cut off", new_local_id()).status_code == 201
    visitor.switch("ada", "cut", False)
    assert visitor.send("ada", "back again", new_local_id()).status_code == 201
    assert {"network cut", "network restored", "POST …/messages 201"} <= set(visitor.lines("ada"))
    assert "network cut" not in visitor.lines("bob")


def test_a_cut_ends_what_is_open(visitor: Visitor) -> None:
    with visitor.http.stream("GET", f"{visitor.sides['ada']}/api/v1/events/stream") as stream:
        lines = stream.iter_lines()
        next(lines)
        visitor.switch("ada", "cut")
        # A stream that ends by itself says so first.
        assert "event: closing" not in list(lines)
    assert "connection cut" in visitor.lines("ada")


def test_a_swallowed_answer_is_of_a_send_that_arrived(visitor: Visitor) -> None:
    visitor.switch("ada", "swallow")
    local_id = new_local_id()
    with pytest.raises(httpx.TransportError):
        visitor.send("ada", "told nobody", local_id)
    visitor.switch("ada", "swallow", False)
    assert visitor.send("ada", "told nobody", local_id).status_code == 200
    assert visitor.bodies("bob").count("told nobody") == 1
    assert "POST …/messages 201, answer dropped" in visitor.lines("ada")


def test_a_stream_is_held_back_and_polls_pass(visitor: Visitor) -> None:
    visitor.switch("ada", "hold")
    with pytest.raises(httpx.ReadTimeout):
        visitor.http.get(f"{visitor.sides['ada']}/api/v1/events/stream", timeout=NOTHING_FOR_S)
    assert visitor.http.get(f"{visitor.sides['ada']}/api/v1/events/poll").status_code == 200
    with visitor.http.stream("GET", f"{visitor.sides['bob']}/api/v1/events/stream", timeout=NOTHING_FOR_S) as stream:
        assert next(stream.iter_lines())
    assert "GET …/stream: stream held back" in visitor.lines("ada")


def test_it_takes_wishes_from_its_own_page_alone(visitor: Visitor) -> None:
    wish = {"side": "ada", "switch": "cut", "on": True}
    foreign = ("http://evil.example", FRIEND, visitor.sides["ada"], "null", "")
    for path in ("switches", "kill"):
        for origin in foreign:
            assert visitor.post(path, wish, Origin=origin).status_code == 403, origin
        assert visitor.http.post(f"{visitor.url}/demo/{path}", json=wish).status_code == 403
        assert visitor.post(path, wish, **{"Content-Type": "text/plain"}).status_code == 403
    assert visitor.http.get(f"{visitor.url}/demo/log", headers={"Sec-Fetch-Site": "same-site"}).status_code == 403
    for nonsense in ({}, [], {**wish, "side": "eve"}, {**wish, "switch": "melt"}, {**wish, "on": 1}):
        assert visitor.post("switches", nonsense).status_code == 400, nonsense
    assert visitor.http.get(f"{visitor.url}/demo/log", params={"after": "x"}).status_code == 400
    assert not any(on for side in visitor.look()["sides"] for on in side["switches"].values())


def test_the_log_says_what_is_new(visitor: Visitor) -> None:
    visitor.switch("bob", "hold")
    newest = visitor.look()["lines"][-1]["number"]
    visitor.switch("bob", "hold", False)
    [line] = visitor.look(newest)["lines"]
    assert (line["side"], line["text"]) == ("bob", "event streams pass again")
    assert line["number"] > newest


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_killed_workers_are_followed_by_others(start_service: Start, database: str) -> None:
    """One with SQLite, two with PostgreSQL."""
    service = start_service(database)
    with Visitor(service.url) as visitor:
        process, before = service.demo(), set(service.workers())
        answer = visitor.post("kill", {})
        assert answer.status_code == 200
        assert answer.json()["worker"] in before
        wait_until(lambda: not before & set(service.workers()) and len(service.workers()) == len(before), what="others")
        wait_until(service.ready)
        assert service.demo() == process
        [line] = [line for line in visitor.lines("ada") if line.startswith("killed")]
        assert {str(pid) for pid in before} == set(line.removeprefix("killed (SIGKILL): worker ").split(", "))
        assert visitor.look()["worker"] not in before
        assert visitor.send("ada", "after the kill", new_local_id()).status_code == 201


def has_ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def stop(service: Service) -> None:
    service.stop()


def kill_master(service: Service) -> None:
    service.kill()


@pytest.mark.parametrize("end", [stop, kill_master])
def test_its_process_ends_with_the_master(start_service: Start, end: Callable[[Service], None]) -> None:
    service = start_service("sqlite")
    process = process_of(service)
    workers = service.workers()
    end(service)
    wait_until(lambda: has_ended(process), ENDS_WITHIN_S)
    # They answer until they notice.
    wait_until(lambda: not any(psutil.pid_exists(pid) for pid in workers))
    service.start_again()
    assert service.demo() is None
    with Visitor(service.url) as visitor:
        assert visitor.look()["lines"] == []


def test_a_process_that_died_is_followed_by_another(start_service: Start) -> None:
    service = start_service("sqlite")
    with Visitor(service.url) as before:
        process = process_of(service)
        process.kill()
        wait_until(lambda: has_ended(process))
        with Visitor(service.url) as after:
            assert after.sides == before.sides
            assert after.send("ada", "still there", new_local_id()).status_code == 201
    assert process_of(service) != process


def test_it_holds_so_many_connections_and_no_more(visitor: Visitor) -> None:
    address = urlsplit(visitor.sides["ada"])
    waiting = [socket.create_connection((address.hostname, address.port)) for _ in range(64)]
    try:
        wait_until(lambda: refused(address.hostname, address.port), what="the refusal")
        assert "too many connections: refused" in visitor.lines("ada")
        assert httpx.get(visitor.sides["bob"]).status_code == 200
    finally:
        for one in waiting:
            one.close()
    wait_until(lambda: not refused(address.hostname, address.port), what="a place")


def refused(host: str | None, port: int | None) -> bool:
    with socket.create_connection((host, port), timeout=1) as one:
        try:
            return one.recv(1) == b""
        except TimeoutError:
            return False
        except ConnectionResetError:
            return True


def test_an_endless_head_is_cut(visitor: Visitor) -> None:
    address = urlsplit(visitor.sides["ada"])
    with (
        socket.create_connection((address.hostname, address.port), timeout=5) as one,
        pytest.raises(ConnectionError),
    ):
        send_for_ever(one)


def send_for_ever(connection: socket.socket) -> None:
    for _ in range(1000):
        connection.sendall(b"x" * 65_536)
