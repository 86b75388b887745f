"""The addresses that are answered without Flask give the same answers as they do through it."""

import socket
import threading
import time
from urllib.parse import urlsplit

import httpx
import pytest

from tests.conftest import Start
from tests.support.person import Person
from tests.support.person import new_local_id
from tests.support.processes import wait_until
from tests.support.service import Service

PAGE = "https://page.example"


@pytest.fixture(scope="module")
def behind_flask(start_service: Start) -> Service:
    """With an access log gunicorn's own way is taken; with an Origin, Flask's."""
    return start_service("sqlite", CHATAPP_ORIGINS=PAGE, GUNICORN_CMD_ARGS="--access-logfile -")


# What differs from answer to answer, or belongs to the connection.
OWN = ("date", "x-request-id", "ratelimit", "server", "connection", "vary", "transfer-encoding")


def same(one: httpx.Response, other: httpx.Response) -> None:
    assert one.status_code == other.status_code
    assert {name: value for name, value in one.headers.items() if name not in OWN} == {
        name: value
        for name, value in other.headers.items()
        if name not in OWN and not name.startswith("access-control-")
    }


@pytest.mark.parametrize("start", ["", "0-0"])
def test_a_poll(behind_flask: Service, start: str) -> None:
    with Person(behind_flask.url, "Ada") as ada:
        ada.send("general", "behind the own joining, which comes a moment after signing in")
        query = {"wait": 0, **({"since": start} if start else {})}
        straight = ada.http.get("/events/poll", params=query)
        by_flask = ada.http.get("/events/poll", params=query, headers={"Origin": PAGE})
        same(straight, by_flask)
        assert straight.json() == by_flask.json()
        assert by_flask.headers["access-control-allow-origin"] == PAGE


def test_a_stream_from_another_origin(behind_flask: Service) -> None:
    with Person(behind_flask.url, "Ada") as ada:
        for headers in ({}, {"Origin": PAGE}):
            with ada.stream(headers=headers) as stream:
                assert "content-length" not in stream.headers
                assert stream.next().type == "ready"
                sent = ada.send("general", "across")
                assert stream.messages(1)[0]["id"] == sent["id"]


@pytest.mark.parametrize(
    ("method", "path", "options"),
    [
        ("GET", "/events/poll?wait=x", {}),
        ("GET", "/events/poll?unknown=1", {}),
        ("GET", "/events/poll?since=1", {}),
        ("GET", "/events/poll?rooms=nowhere", {}),
        ("GET", "/events/stream?since=x-y", {}),
        ("GET", "/events/stream?rooms=nowhere", {}),
        ("POST", "/rooms/general/messages?x=1", {"json": {}}),
        ("POST", "/rooms/general/messages", {"json": {}}),
        ("POST", "/rooms/general/messages", {"content": "{", "headers": {"Content-Type": "application/json"}}),
        ("POST", "/rooms/general/messages", {"content": "x", "headers": {"Content-Type": "text/plain"}}),
        ("POST", "/rooms/nowhere/messages", {"json": {"localId": "abcdefgh", "body": "x"}}),
        ("POST", "/rooms/general/messages", {"json": {"localId": "abcdefgh", "body": " "}}),
        ("POST", "/rooms/general/messages", {"json": {"localId": "abcdefgh", "body": "a\u0007"}}),
        ("POST", "/rooms/general/messages", {"json": {"localId": "abcdefgh", "body": 1}}),
        ("POST", "/rooms/general/messages", {"json": {"localId": "abcdefgh", "body": "x", "more": 1}}),
    ],
)
def test_refusals(behind_flask: Service, method: str, path: str, options: dict[str, object]) -> None:
    with Person(behind_flask.url, "Ada") as ada:
        headers = dict(options.pop("headers", {}))  # type: ignore[call-overload]
        straight = ada.http.request(method, path, headers=headers, **options)
        by_flask = ada.http.request(method, path, headers={**headers, "Origin": PAGE}, **options)
        same(straight, by_flask)
        assert straight.status_code >= 400
        assert straight.headers["content-type"] == "application/problem+json"
        assert straight.json() == by_flask.json()
        assert ("ratelimit" in straight.headers) == ("ratelimit" in by_flask.headers)


def test_without_an_access_log_the_answers_are_the_same(behind_flask: Service, start_service: Start) -> None:
    plain = start_service("sqlite")
    with Person(plain.url, "Ada") as ada, Person(behind_flask.url, "Ada") as other:
        for someone in (ada, other):
            wait_until(lambda someone=someone: someone.cursor() != "0-0", what="the log to begin")
        for path in ("/events/poll?wait=0", "/events/poll?wait=x", "/events/stream?since=x"):
            same(ada.http.get(path), other.http.get(path))
        same(ada.post("general", "x"), other.post("general", "x"))
        same(ada.post("general", ""), other.post("general", ""))


def test_many_requests_on_one_connection_and_one_that_asks_first(service: Service) -> None:
    parts = urlsplit(service.url)
    with Person(service.url, "Ada") as ada, socket.create_connection((parts.hostname, parts.port), 10) as connection:
        body = f'{{"localId": "{new_local_id()}", "body": "asked first"}}'.encode()
        connection.sendall(
            f"POST /api/v1/rooms/general/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ada.token}\r\n"
            f"Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        )
        received = connection.recv(1024)
        assert received.startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        while b'"asked first"' not in received:
            received += connection.recv(4096)
        # Two at once: the second waits its turn.
        poll = f"GET /api/v1/events/poll?wait=0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ada.token}\r\n\r\n"
        connection.sendall(2 * poll.encode())
        received = b""
        while received.count(b'"more":false') < 2:
            received += connection.recv(4096)
        assert received.count(b"HTTP/1.1 200 OK") == 2


def test_who_was_removed_sends_nothing_more(service: Service) -> None:
    """The membership is remembered, but the commit judges, in whichever worker."""
    with Person(service.url, "Ada") as ada, Person(service.url, "Bob") as bob:
        room = ada.create_room("private")
        ada.invite(room, bob)
        sent: list[tuple[float, int]] = []
        over = threading.Event()

        def send_on() -> None:
            with httpx.Client(base_url=f"{service.url}/api/v1", headers=bob.http.headers, timeout=15) as http:
                while not over.is_set():
                    started_s = time.monotonic()
                    document = {"localId": new_local_id(), "body": "still here"}
                    sent.append((started_s, http.post(f"/rooms/{room}/messages", json=document).status_code))

        sending = [threading.Thread(target=send_on) for _ in range(4)]
        for thread in sending:
            thread.start()
        try:
            wait_until(lambda: [status for _, status in sent].count(201) >= 20, 10)
            ada.remove(room, bob)
            removed_s = time.monotonic()
            wait_until(lambda: sum(started_s > removed_s for started_s, _ in sent) >= 20, 10)
        finally:
            over.set()
            for thread in sending:
                thread.join()
        assert {status for started_s, status in sent if started_s > removed_s} == {404}
        assert {status for _, status in sent} == {201, 404}
