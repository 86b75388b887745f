"""Each fault of the network that the proxy plays, against a real service."""

import socket
from collections.abc import Callable
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.person import Person
from tests.support.person import new_local_id
from tests.support.proxied_connection import Requests
from tests.support.service import Service
from tests.support.tcp_proxy import TcpProxy

# An end that the proxy makes comes within milliseconds, after what was on its way.
ENDS_WITHIN_S = 10.0


@pytest.fixture(scope="module")
def site(start_service: Callable[..., Service]) -> Service:
    return start_service("sqlite")


@pytest.fixture
def proxy(site: Service) -> Iterator[TcpProxy]:
    address = urlsplit(site.url)
    with TcpProxy(address.hostname or "", address.port or 0) as proxy:
        yield proxy


@pytest.fixture
def ada(proxy: TcpProxy) -> Iterator[Person]:
    """Uses the service through the proxy."""
    with Person(proxy.url, "Ada") as person:
        yield person


@pytest.fixture
def bob(site: Service) -> Iterator[Person]:
    """Uses the service directly."""
    with Person(site.url, "Bob") as person:
        yield person


def test_cut_refuses_and_restore_is_the_same_address(proxy: TcpProxy, ada: Person) -> None:
    with ada.stream() as stream:
        stream.next()
        proxy.cut()
        stream.to_the_end(ENDS_WITHIN_S)
    with pytest.raises(httpx.ConnectError):
        ada.post("general", "nobody hears this")
    proxy.restore()
    ada.send("general", "heard again")


def test_cut_now_ends_what_is_open_only(proxy: TcpProxy, ada: Person) -> None:
    with ada.stream() as stream:
        stream.next()
        proxy.cut_now()
        stream.to_the_end(ENDS_WITHIN_S)
    with ada.stream() as stream:
        assert stream.next().type == "ready"


def test_muted_streams_are_held_back_and_given_later(proxy: TcpProxy, ada: Person, bob: Person) -> None:
    with ada.stream() as stream:
        stream.next()
        proxy.mute_streams()
        message = bob.send("general", "held back")
        assert ada.message(message["id"])["body"] == "held back"
        with pytest.raises(TimeoutError):
            stream.until("message.created", 0.5)  # one's own joining may have come before
        proxy.heal()
        assert stream.until("message.created").data["message"]["id"] == message["id"]


def test_muted_from_the_start(proxy: TcpProxy, ada: Person) -> None:
    proxy.mute_streams()
    with pytest.raises(TimeoutError):
        _head_of_stream(proxy, ada, 0.5)
    proxy.mute_streams(False)
    assert _head_of_stream(proxy, ada, 5.0).startswith(b"HTTP/1.1 200")


def test_swallowed_replies_leave_the_outcome_open(proxy: TcpProxy, ada: Person, bob: Person) -> None:
    proxy.swallow_replies()
    local_id = new_local_id()
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        ada.post("general", "did it arrive?", local_id)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        ada.http.patch(f"/messages/{bob.send('general', 'not hers')['id']}", json={"body": "changed"})
    assert ada.status(local_id)[0]["status"] == "sent", "reading goes on, and what was sent arrived"
    proxy.heal()
    again = ada.post("general", "did it arrive?", local_id)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")


def test_swallowing_begins_on_a_connection_that_is_in_use(proxy: TcpProxy, ada: Person) -> None:
    ada.send("general", "answered")
    proxy.swallow_replies(0.2)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        ada.post("general", "x" * 3_000)
    proxy.heal()
    assert ada.page("general", limit=1)["messages"][0]["body"] == "x" * 3_000


def test_silence_is_no_byte_and_no_end(proxy: TcpProxy, ada: Person, bob: Person) -> None:
    with ada.stream() as stream:
        # Everything that is on its way lies before this, in one order.
        first = bob.send("general", "before the silence")
        while stream.until("message.created").data["message"]["id"] != first["id"]:
            pass
        proxy.silence()
        message = bob.send("general", "behind the silence")
        with pytest.raises(TimeoutError):
            stream.next(0.5)
        with pytest.raises(httpx.ReadTimeout):
            ada.http.get("/session", timeout=0.5)
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{proxy.url}/healthz", timeout=0.5)
        proxy.heal()
        assert stream.until("message.created").data["message"]["id"] == message["id"]
    assert ada.http.get("/session").status_code == 200


def test_a_silent_connection_can_be_cut(proxy: TcpProxy, ada: Person) -> None:
    with ada.stream() as stream:
        stream.next()
        proxy.silence()
        proxy.cut_now()
        stream.to_the_end(ENDS_WITHIN_S)


@pytest.mark.parametrize("status", [200, 204, 502, 503])
def test_streams_are_answered_as_by_a_broken_gateway(proxy: TcpProxy, ada: Person, status: int) -> None:
    body = b"" if status == 204 else b"<h1>Bad Gateway</h1>"
    proxy.answer_streams(status, body)
    for path in ("/events/stream?since=0-0", "/events/poll"):
        answer = ada.http.get(path)
        assert (answer.status_code, answer.content) == (status, body)
        ada.send("general", "the rest passes, on the same connection")
    proxy.heal()
    assert ada.poll()["events"] == []


def test_an_open_stream_goes_on_when_the_gateway_breaks(proxy: TcpProxy, ada: Person, bob: Person) -> None:
    with ada.stream() as stream:
        stream.next()
        proxy.answer_streams(502)
        message = bob.send("general", "through the old connection")
        assert stream.until("message.created").data["message"]["id"] == message["id"]


def test_fifty_connections_at_once(proxy: TcpProxy, ada: Person, bob: Person) -> None:
    streams = [ada.stream() for _ in range(50)]
    try:
        for stream in streams:
            stream.next()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: ada.send("general", f"number {number}"), range(20)))
        for stream in streams:
            assert len({one["id"] for one in stream.messages(20)}) == 20
        proxy.cut_now()
        for stream in streams:
            stream.to_the_end(ENDS_WITHIN_S)
    finally:
        for stream in streams:
            stream.close()


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_requests_are_told_apart_however_they_come(size: int) -> None:
    """Several on one connection, one with a body that looks like a request."""
    body = b"DELETE /not/this HTTP/1.1\r\n\r\n"
    raw = b"GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n"
    raw += b"POST /d HTTP/1.1\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
    raw += b"PATCH /e HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
    requests = Requests()
    pieces = [piece for at in range(0, len(raw), size) for piece in requests.feed(raw[at : at + size])]
    assert [(method, path) for method, path, _ in pieces if method] == [("GET", "/a"), ("POST", "/d"), ("PATCH", "/e")]
    assert b"".join(piece for _, _, piece in pieces) == raw


def _head_of_stream(proxy: TcpProxy, person: Person, seconds: float) -> bytes:
    """The first bytes of an event stream's answer: EventStream itself would wait for longer."""
    address = urlsplit(proxy.url)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=seconds) as raw:
        lines = [
            "GET /api/v1/events/stream HTTP/1.1",
            f"Host: {address.netloc}",
            f"Authorization: Bearer {person.token}",
        ]
        raw.sendall("\r\n".join([*lines, "", ""]).encode())
        return raw.recv(4096)
