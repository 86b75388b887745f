"""Both carriers say the same: the short version; `make test-all` runs the whole contract suite over both."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import psutil
import pytest

from tests.conftest import Start
from tests.support.person import Person
from tests.support.processes import wait_until
from tests.support.service import Service

QUICK = {"CHATAPP_HEARTBEAT_SECONDS": "0.5", "CHATAPP_STREAM_SECONDS": "4", "CHATAPP_WINDOW": "20"}
# gunicorn itself frames what the portable carrier says, in chunks: so the two can be told apart from outside.
FRAMED = {"GUNICORN_CMD_ARGS": "--access-logfile -"}
STREAMS = 50


CARRIERS = ["detached", "portable"]


@pytest.fixture(scope="module", params=CARRIERS)
def carried(request: pytest.FixtureRequest, start_service: Start) -> Service:
    return start_service("sqlite", CHATAPP_CARRIER=request.param, **QUICK, **FRAMED)


@pytest.fixture(params=CARRIERS)
def untouched(request: pytest.FixtureRequest, start_service: Start) -> Iterator[Service]:
    """One to which nobody was connected before."""
    service = start_service("sqlite", CHATAPP_CARRIER=request.param, **QUICK, **FRAMED)
    yield service
    service.stop()


def test_a_stream_over_either_carrier(carried: Service) -> None:
    with Person(carried.url, "Ada") as ada, Person(carried.url, "Bob") as bob:
        room = ada.create_room()
        bob.join(room)
        # More than the window holds: the first pages come from the database.
        before = [ada.send(room, f"{number}") for number in range(60)]
        with bob.stream(since=before[9]["cursor"], rooms=room) as stream:
            # The detached one ends with its connection, so it needs no chunks.
            detached = carried.settings["CHATAPP_CARRIER"] == "detached"
            assert ("transfer-encoding" in stream.headers) is not detached
            assert stream.headers["cache-control"] == "no-cache, no-transform"
            assert stream.next().type == "ready"
            live = [ada.send(room, f"live {number}") for number in range(5)]
            got = [message["id"] for message in stream.messages(55)]
            assert got == [message["id"] for message in [*before[10:], *live]]
            stream.until("heartbeat")
            assert stream.cursor >= live[-1]["cursor"]
            ended = stream.to_the_end()[-1]
            assert (ended.type, ended.data["reason"]) == ("closing", "rotate")


def test_own_joining_and_leaving_change_the_rooms_of_an_open_stream(carried: Service) -> None:
    with Person(carried.url, "Ada") as ada, Person(carried.url, "Bob") as bob, bob.stream() as stream:
        stream.next()
        room = ada.create_room("private")
        ada.send(room, "before")
        ada.invite(room, bob)
        ada.send(room, "inside")
        stream.until("member.joined", room=room)
        assert stream.messages(1)[0]["body"] == "inside"
        ada.remove(room, bob)
        ada.send(room, "after")
        assert stream.until("member.left", room=room).data["user"]["id"] == bob.id
        ada.join("general")
        public = ada.send("general", "for all")
        assert stream.messages(1)[0]["id"] == public["id"]


def test_a_peer_that_goes_gives_its_place_back_at_once(untouched: Service) -> None:
    with Person(untouched.url, "Ada") as ada:
        worker = psutil.Process(untouched.workers()[0])
        before = worker.num_fds()
        streams = [ada.stream() for _ in range(STREAMS)]
        for stream in streams:
            stream.next()
        assert worker.num_fds() >= before + STREAMS
        for stream in streams:
            stream.close()
        # Well before the 4 s that each might live on.
        wait_until(lambda: worker.num_fds() <= before + 2, 2)


@pytest.mark.parametrize("head", ["GET {} HTTP/1.0\r\n", "GET {} HTTP/1.1\r\nConnection: close\r\n"])
def test_old_ways_of_asking_get_the_same_stream(carried: Service, head: str) -> None:
    parts = urlsplit(carried.url)
    with Person(carried.url, "Ada") as ada, socket.create_connection((parts.hostname, parts.port), 10) as old:
        request = head.format("/api/v1/events/stream") + f"Host: x\r\nAuthorization: Bearer {ada.token}\r\n\r\n"
        old.sendall(request.encode())
        received = b""
        while b"event: heartbeat" not in received:
            piece = old.recv(4096)
            assert piece, received
            received += piece
        assert received.startswith(b"HTTP/1.")
        assert b"event: ready" in received
