"""Bytes that no client should send are the client's fault, wherever they stand, and write no line of the log."""

import random

import pytest

from tests.conftest import Start
from tests.support.person import Person
from tests.support.raw_request import send
from tests.support.service import Service

PATHS = ("/", "/rooms/{}", "/healthz", "/static/{}", "/api/v1/session", "/api/v1/rooms/{}", "/api/v1/rooms/{}/messages")
MORE = ("/api/v1/messages/{}", "/api/v1/direct/{}", "/api/v1/events/poll?since={}", "/api/v1/events/stream?rooms={}")
FIELDS = (
    *("Cookie", "Authorization", "Host", "Origin", "Last-Event-ID", "X-Forwarded-For", "X-Forwarded-Host", "Chat-User"),
    *("X-Forwarded-Proto", "X-Forwarded-Prefix", "If-None-Match", "Range", "Content-Type", "Idempotency-Key", "Accept"),
    *("Sec-Fetch-Site", "Access-Control-Request-Headers", "User-Agent", "Referer", "Expect", "If-Modified-Since"),
)
ODD = (
    b"",
    b"\x80\xff",
    b"\xc3\xa9",
    b"%0A[forged]",
    b"%1b[31m",
    b"%ff%fe",
    b"%",
    b"\xc2\x85forged",
    b"[::1",
    b"x" * 500,
)
ODDER = (
    b'";,=',
    b"//evil/../",
    b"\xe2\x80\xa8",
    b"9" * 40,
    b"%00",
    b"%ed%a0%80",
    b"bytes=9-1",
    b"null",
    b"xn--\xff",
    b"%0d%0a",
)
REQUESTS = 300


@pytest.fixture(scope="module", params=["plain", "proxied"])
def battered(request: pytest.FixtureRequest, start_service: Start) -> Service:
    settings = {
        "CHATAPP_PROXIES": "1",
        "CHATAPP_ORIGINS": "https://app.example",
        "GUNICORN_CMD_ARGS": "--access-logfile -",
    }
    return start_service("sqlite", **(settings if request.param == "proxied" else {}))


def test_nothing_is_the_servers_fault(battered: Service) -> None:
    chance = random.Random(20261122)
    with Person(battered.url) as ada:
        for _ in range(REQUESTS):
            method = chance.choice(
                ["GET", "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "G\x1bT", "BREW"]
            )
            path = chance.choice(PATHS + MORE).encode().replace(b"{}", chance.choice(ODD + ODDER))
            path += chance.choice([b"", b"", b"/", b"?wait=0&x=" + chance.choice(ODD)])
            fields = [b"Host: chat.example", b"Connection: close", b"Content-Length: 0"]
            fields += [f"Authorization: Bearer {ada.token}".encode()] if chance.random() < 0.5 else []
            for name in chance.sample(FIELDS, 2):
                fields.append(name.encode() + b": " + chance.choice(ODD + ODDER))
            request = b"\r\n".join([method.encode() + b" " + path + b" HTTP/1.1", *fields, b"", b""])
            if (b"/stream" not in path and b"/poll" not in path) or b"Bearer" not in request:
                assert send(battered.url, request).status < 500, request
    for line in battered.log().split("\n"):
        assert line.isprintable(), ascii(line)
        assert not line.startswith("[forged]")
    assert "Traceback" not in battered.log()
