"""Bad input: the contract's 4xx as problem+json, no row, no traceback, and the worker lives on."""

import json
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.person import Person
from tests.support.person import new_local_id
from tests.support.service import Service

JSON = {"Content-Type": "application/json"}


def raw(service: Service, request: bytes, *, half_close: bool = False, seconds: float = 15) -> tuple[int, bytes]:
    """Send bytes as they are. Returns the status and the body of the answer."""
    parts = urlsplit(service.url)
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=seconds) as connection:
        connection.sendall(request)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while b"\r\n\r\n" not in received:
            piece = connection.recv(65536)
            if not piece:
                break
            received += piece
        head, _, body = received.partition(b"\r\n\r\n")
        fields = head.lower().split(b"\r\n")
        length = next((int(one.split(b":")[1]) for one in fields if one.startswith(b"content-length")), 0)
        while len(body) < length:
            piece = connection.recv(65536)
            if not piece:
                break
            body += piece
    return int(head.split()[1]), body


def post(person: Person, room: str, content: bytes, **headers: str) -> httpx.Response:
    return person.http.post(f"/rooms/{room}/messages", content=content, headers={**JSON, **headers})


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == code
    assert problem["status"] == status
    assert set(problem) >= {"type", "title", "status", "detail", "code", "retryable"}
    assert "Traceback" not in answer.text


@pytest.fixture
def quiet_room(ada: Person) -> Any:
    """A room in which nothing may be stored; checked afterwards."""
    room = ada.create_room()
    yield room
    assert ada.history(room) == []


NOT_JSON = {
    "nothing": b"",
    "no JSON": b"{",
    "deep arrays": b"[" * 100_00 + b"]" * 100_00,
    "deep objects": b'{"a":' * 9000 + b"1" + b"}" * 9000,
    "NaN": b'{"localId":"abcdefgh","body":NaN}',
    "Infinity": b'{"localId":"abcdefgh","body":-Infinity}',
    "bad UTF-8": b'{"localId":"abcdefgh","body":"\xff\xfe"}',
    "overlong UTF-8": b'{"localId":"abcdefgh","body":"\xc0\xaf"}',
    "raw surrogate": b'{"localId":"abcdefgh","body":"\xed\xa0\x80"}',
    "UTF-16": '{"localId":"abcdefgh","body":"x"}'.encode("utf-16"),
    "duplicate keys": b'{"localId":"abcdefgh","body":"a","body":"b"}',
    "a long number": b'{"localId":"abcdefgh","body":' + b"9" * 5000 + b"}",
    "raw control": b'{"localId":"abcdefgh","body":"a\x01b"}',
    "two documents": b'{"localId":"abcdefgh","body":"a"}{}',
}


@pytest.mark.parametrize("content", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_what_is_not_json_is_refused(ada: Person, quiet_room: str, content: bytes) -> None:
    refused(post(ada, quiet_room, content), 400, "invalid_json")


def message(**fields: Any) -> bytes:
    return json.dumps({"localId": new_local_id(), "body": "x", **fields}).encode()


INVALID = {
    "empty body": message(body=""),
    "white space": message(body=" \n\t\u3000"),
    "too long": message(body="x" * 4001),
    "too long emoji": message(body="😀" * 4001),
    "NUL": message(body="a\0b"),
    "control": message(body="a\x1bb"),
    "carriage return": message(body="a\r\nb"),
    "C1 control": message(body="a\x85b"),
    "delete": message(body="a\x7fb"),
    "lone surrogate": b'{"localId":"abcdefgh","body":"a\\ud800b"}',
    "body a number": message(body=5),
    "body a list": message(body=["x"]),
    "body null": message(body=None),
    "no body": b'{"localId":"abcdefgh"}',
    "no localId": b'{"body":"x"}',
    "short localId": message(localId="abcdefg"),
    "long localId": message(localId="a" * 65),
    "localId with space": message(localId="abc defgh"),
    "localId not ASCII": message(localId="abcdefgé"),
    "localId newline": message(localId="abcdefgh\n"),
    "localId a number": message(localId=12345678),
    "unknown field": message(colour="red"),
    "unknown surrogate field": b'{"localId":"abcdefgh","body":"x","\\ud800":1}',
    "a list": b"[]",
    "a string": b'"x"',
    "null": b"null",
    "a number": b"5",
}


@pytest.mark.parametrize("content", INVALID.values(), ids=INVALID.keys())
def test_what_is_no_message_is_refused_by_field(ada: Person, quiet_room: str, content: bytes) -> None:
    answer = post(ada, quiet_room, content)
    refused(answer, 422, "invalid_message")
    assert answer.json()["errors"]


def test_the_longest_message_passes(ada: Person, room: str) -> None:
    assert ada.send(room, "x" * 4000)["body"] == "x" * 4000


def test_a_byte_order_mark_is_passed_over(ada: Person, room: str) -> None:
    answer = post(ada, room, b"\xef\xbb\xbf" + message(body="behind a mark"))
    assert (answer.status_code, answer.json()["body"]) == (201, "behind a mark")


def test_line_separators_go_out_escaped(ada: Person, room: str) -> None:
    body = "one\u2028two\u2029three"
    with ada.stream() as stream:
        stream.next()
        sent = post(ada, room, message(body=body))
        assert (sent.json()["body"], "\u2028" in sent.text) == (body, False)
        event = stream.until("message.created", room=room)
        assert event.data["message"]["body"] == body
        assert "\u2028" not in event.raw
    for path in ("/events/poll?since=0-0", f"/rooms/{room}/messages", f"/rooms/{room}"):
        answer = ada.http.get(path)
        assert r"one\u2028two\u2029three" in answer.text
        assert "\u2028" not in answer.text


def test_the_size_of_a_request_is_bounded(ada: Person, quiet_room: str) -> None:
    refused(post(ada, quiet_room, message(body="x" * 70_000)), 413, "too_large")
    name = json.dumps({"name": "x" * 1_000_000}).encode()
    answer = ada.http.post("/session", content=name, headers=JSON)
    refused(answer, 413, "too_large")
    batch = json.dumps({"messages": ["x" * 600_000]}).encode()
    refused(ada.http.post("/messages/batch", content=batch, headers=JSON), 413, "too_large")


def test_the_type_of_a_body_is_json(ada: Person, quiet_room: str) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        refused(post(ada, quiet_room, message(), **{"Content-Type": kind}), 415, "unsupported_media_type")


def test_a_body_needs_a_length(service: Service, ada: Person, quiet_room: str) -> None:
    def pieces() -> Any:
        yield message()

    answer = ada.http.post(f"/rooms/{quiet_room}/messages", content=pieces(), headers=JSON)
    refused(answer, 411, "length_required")
    head = request_head(ada, f"/api/v1/rooms/{quiet_room}/messages", "Transfer-Encoding: chunked")
    status, body = raw(service, head + b"5\r\nhello\r\n")  # and then nothing more
    assert (status, json.loads(body)["code"]) == (411, "length_required")
    head = request_head(ada, f"/api/v1/rooms/{quiet_room}/messages")
    status, body = raw(service, head)
    assert (status, json.loads(body)["code"]) == (411, "length_required")


def request_head(person: Person, path: str, *lines: str, method: str = "POST") -> bytes:
    head = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    head += [f"Authorization: Bearer {person.token}", *lines, "", ""]
    return "\r\n".join(head).encode("latin-1")


def test_a_huge_length_is_refused_without_waiting(service: Service, ada: Person, quiet_room: str) -> None:
    started_s = time.monotonic()
    head = request_head(ada, f"/api/v1/rooms/{quiet_room}/messages", "Content-Length: 99999999999999")
    status, body = raw(service, head + b"{")
    assert (status, json.loads(body)["code"]) == (413, "too_large")
    assert time.monotonic() - started_s < 4


def test_a_body_that_never_comes_is_given_up(service: Service, ada: Person, quiet_room: str) -> None:
    head = request_head(ada, f"/api/v1/rooms/{quiet_room}/messages", "Content-Length: 100")
    started_s = time.monotonic()
    status, body = raw(service, head + b'{"localId"', seconds=30)
    assert (status, json.loads(body)["code"]) == (400, "invalid_json")
    assert time.monotonic() - started_s < 20
    status, body = raw(service, head + b'{"localId"', half_close=True)
    assert status == 400


GUNICORN_REFUSES = {
    "length and chunked": ["Content-Length: 5", "Transfer-Encoding: chunked"],
    "two lengths": ["Content-Length: 5", "Content-Length: 6"],
    "negative length": ["Content-Length: -5"],
    "length no number": ["Content-Length: five"],
    "unknown coding": ["Transfer-Encoding: gzip-ish"],
    "space in a header name": ["Bad Header: x"],
}


@pytest.mark.parametrize("lines", GUNICORN_REFUSES.values(), ids=GUNICORN_REFUSES.keys())
def test_what_gunicorn_refuses_stores_nothing(service: Service, ada: Person, quiet_room: str, lines: list[str]) -> None:
    status, _ = raw(service, request_head(ada, f"/api/v1/rooms/{quiet_room}/messages", *lines) + b"hello")
    assert status in (400, 501)
    assert ada.http.get("/session").status_code == 200


def test_unknown_addresses_methods_and_parameters(ada: Person) -> None:
    refused(ada.http.get("/nothing"), 404, "not_found")
    method = ada.http.put("/rooms")
    refused(method, 405, "method_not_allowed")
    assert "POST" in method.headers["Allow"]
    refused(ada.http.get("/rooms?colour=red"), 400, "invalid_parameter")
    refused(ada.http.get("/rooms?limit=1&limit=2"), 400, "invalid_parameter")
    refused(ada.http.post("/rooms/general/messages?x=1", json={}), 400, "invalid_parameter")
    refused(ada.http.get("/messages/status"), 400, "invalid_parameter")
    refused(ada.http.get("/messages/status?localId=short"), 400, "invalid_parameter")
    many = [("localId", new_local_id()) for _ in range(101)]
    refused(ada.http.get("/messages/status", params=many), 400, "invalid_parameter")
    assert len(ada.status(*[f"{'x' * 60}{number:04d}" for number in range(100)])) == 100


@pytest.mark.parametrize("room", ["..", "General", "%00", "a%20b", "é", "x" * 65, "%F0%9F%98%80"])
def test_a_room_that_cannot_exist_is_not_found(ada: Person, room: str) -> None:
    answer = ada.http.get(f"/rooms/{room}")
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


NO_IDS = ["%00", "a%00b", "%F0%9F%98%80%E2%80%AE", "x" * 300]


@pytest.mark.parametrize("id_", NO_IDS)
def test_what_cannot_be_an_id_is_not_found(ada: Person, room: str, id_: str) -> None:
    for method, path in (
        ("GET", f"/messages/{id_}"),
        ("PATCH", f"/messages/{id_}"),
        ("DELETE", f"/messages/{id_}"),
        ("PUT", f"/direct/{id_}"),
        ("PUT", f"/rooms/general/members/{id_}"),
        ("DELETE", f"/rooms/{room}/members/{id_}"),
        ("GET", f"/events/poll?rooms={id_}"),
        ("GET", f"/events/stream?rooms=general,{id_}"),
    ):
        body = {"body": "x"} if method == "PATCH" else None
        refused(ada.http.request(method, path, json=body), 404, "not_found")


@pytest.mark.parametrize("name", [b'"\\u0000a"', b'"\\ud800"', b'"general\\n"'])
def test_an_ack_of_a_room_that_cannot_be_is_not_found(ada: Person, name: bytes) -> None:
    answer = ada.http.post("/events/ack", content=b'{"cursor": "0-0", "rooms": [%b]}' % name, headers=JSON)
    refused(answer, 404, "not_found")


@pytest.mark.parametrize(
    "document", [{}, {"cursor": 5}, {"cursor": "0-0", "rooms": []}, {"cursor": "0-0", "rooms": "general"}, []]
)
def test_a_wrong_ack_is_refused(ada: Person, document: Any) -> None:
    refused(ada.http.post("/events/ack", json=document), 422, "invalid_message")


def test_the_service_logged_no_defect(service: Service) -> None:
    """Runs last in this file: nothing above was answered by luck after a traceback."""
    assert "Traceback" not in service.log()
