"""Every answer of the API can be read by the pages of CHATAPP_ORIGINS, and by no others."""

import socket
from urllib.parse import urlsplit

import pytest

from tests.conftest import Start
from tests.support.raw_request import RawAnswer
from tests.support.raw_request import ask
from tests.support.raw_request import send
from tests.support.service import Service

PAGE = "https://app.example"
PAGES = (PAGE, "http://[::1]:3000", "https://xn--mnchen-3ya.example")
# Flask-CORS took the brackets for a pattern: any of these letters.
FOREIGN = (
    "https://evil.example",
    "http://:3000",
    "http://1:3000",
    "https://app.example.evil",
    "https://app-example",
    "null",
)


@pytest.fixture(scope="module")
def open_to(start_service: Start) -> Service:
    return start_service(
        "sqlite", CHATAPP_ORIGINS="https://App.Example:443/, http://[::1]:3000, https://münchen.example"
    )


def allowed(answer: RawAnswer) -> str | None:
    return answer.field("access-control-allow-origin")


@pytest.mark.parametrize("origin", PAGES)
def test_a_listed_origin_reads_answers(open_to: Service, origin: str) -> None:
    for method, path in (("GET", "/session"), ("GET", "/events/poll"), ("GET", "/nowhere"), ("PUT", "/session")):
        answer = ask(open_to.url, method, f"/api/v1{path}", f"Origin: {origin}")
        assert answer.status >= 400
        assert allowed(answer) == origin
        assert answer.field("access-control-allow-credentials") == "true"
        assert answer.field("vary") == "Origin"
        assert answer.head.lower().count("access-control-allow-origin") == 1
    preflight = ask(open_to.url, "OPTIONS", "/api/v1/rooms", f"Origin: {origin}", "Access-Control-Request-Method: POST")
    assert allowed(preflight) == origin
    assert "POST" in str(preflight.field("access-control-allow-methods"))


@pytest.mark.parametrize("origin", FOREIGN)
def test_no_other_origin_does(open_to: Service, origin: str) -> None:
    for path in ("/api/v1/session", "/api/v1/events/poll", "/healthz"):
        assert allowed(ask(open_to.url, "GET", path, f"Origin: {origin}")) is None
    assert allowed(ask(open_to.url, "GET", "/api/v1/session")) is None
    assert allowed(ask(open_to.url, "GET", "/", f"Origin: {PAGE}")) is None


@pytest.mark.parametrize("path", ["/api/v1/session", "/api/v1/rooms/general/messages"])
def test_an_answer_before_flask_can_be_read(open_to: Service, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nConnection: close\r\n"
    slow = send(open_to.url, f"{head}Origin: {PAGE}\r\n\r\n{{".encode())
    assert (slow.status, allowed(slow), slow.field("vary")) == (400, PAGE, "Origin")
    assert slow.field("access-control-allow-credentials") == "true"
    assert "Retry-After" in str(slow.field("access-control-expose-headers"))
    parts = urlsplit(open_to.url)
    with socket.create_connection((parts.hostname or "", parts.port or 80), 15) as connection:
        connection.sendall(f"{head}Origin: https://evil.example\r\n\r\n{{".encode())
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"access-control" not in answer.lower()
