"""What stands between a browser and the service in the demonstration: what it reads of them, and how much it holds."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Awaitable
from collections.abc import Callable
from pathlib import Path

import pytest

from chatapp.demo import ask
from chatapp.demo import connection
from chatapp.demo import heads
from chatapp.demo.journal import KEPT_LINES
from chatapp.demo.journal import Journal
from tests.support import own_loop

STALLED_AFTER_S = 1.0
ENDS_WITHIN_S = 10.0
ENDLESS_BYTES = 256 * 1024 * 1024
# What the kernel holds of two connections, with room to spare.
HELD_MAX_BYTES = 64 * 1024 * 1024


@pytest.mark.parametrize(
    ("line", "is_live", "is_send", "shown"),
    [
        ("GET /api/v1/events/stream?since=1-0", True, False, "GET …/stream"),
        ("GET /api/v1/events/poll", True, False, "GET …/poll"),
        ("POST /api/v1/events/ack", False, False, ""),
        ("POST /api/v1/rooms/general/messages", False, True, "POST …/messages"),
        ("POST /api/v1/messages/batch", False, True, "POST …/batch"),
        ("GET /api/v1/rooms/general/messages?limit=50", False, False, "GET …/messages"),
        ("PATCH /api/v1/messages/0123456789012345678901234567", False, False, "PATCH …/012345678901234567890123"),
        ("POST /api/v1/rooms/general/typing", False, False, ""),
        ("GET /static/0/page.js", False, False, ""),
        ("nonsense", False, False, ""),
    ],
)
def test_a_request_is_told_by_its_first_line(line: str, is_live: bool, is_send: bool, shown: str) -> None:
    request = heads.request(f"{line} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert (request.is_live, request.is_send, request.shown) == (is_live, is_send, shown)


def test_a_request_has_its_connection_for_itself() -> None:
    head = b"GET / HTTP/1.1\r\nHost: a:1\r\nConnection: keep-alive\r\nKeep-Alive: 5\r\nCookie: a=b\r\n\r\n"
    changed = b"GET / HTTP/1.1\r\nHost: a:1\r\nCookie: a=b\r\nConnection: close\r\n\r\n"
    assert heads.for_one_answer(head) == changed


def test_an_answer_may_be_framed_by_these_alone() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n\r\n"
    assert heads.framed_by(head, "http://a:1").endswith(b"default-src 'none'; frame-ancestors http://a:1\r\n\r\n")
    assert heads.answer(head) == heads.Answer("200", False)
    assert heads.answer(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n").is_stream
    assert heads.answer(b"nonsense\r\n\r\n").status == ""


def test_the_journal_keeps_the_last_lines_of_one_length() -> None:
    journal = Journal()
    for number in range(KEPT_LINES + 10):
        journal.say("ada", f"{number} " + "x" * 1000)
    lines = journal.after(0)
    assert len(lines) == KEPT_LINES
    assert {len(line["text"]) for line in lines} == {120}
    assert lines[-1]["text"].startswith(f"{KEPT_LINES + 9} ")
    assert journal.after(lines[-3]["number"]) == lines[-2:]


class Sound:
    """A network with nothing wrong."""

    ancestors = ""

    def __init__(self, port: int) -> None:
        self.target = ("127.0.0.1", port)

    def holds(self) -> bool:
        return False

    def swallows(self) -> bool:
        return False

    def say(self, text: str) -> None: ...

    def live(self) -> None: ...


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def listening(serve: Serve) -> tuple[asyncio.Server, int]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=connection.BUFFER_BYTES)
    return server, server.sockets[0].getsockname()[1]


async def through(serve: Serve) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, Callable[[], None]]:
    """A connection of a browser to this server, by way of the proxy; and what ends all three."""
    server, port = await listening(serve)

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await connection.serve(Sound(port), reader, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    proxy, proxy_port = await listening(pass_on)
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy_port, limit=connection.BUFFER_BYTES)

    def end() -> None:
        writer.transport.abort()
        server.close()
        proxy.close()

    return reader, writer, end


def test_for_a_reader_that_takes_nothing_little_is_held() -> None:
    async def measured() -> int:
        stalled: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(heads.END)
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            written = 0
            try:
                while written < ENDLESS_BYTES:
                    writer.write(b"x" * connection.BUFFER_BYTES)
                    await asyncio.wait_for(writer.drain(), STALLED_AFTER_S)
                    written += connection.BUFFER_BYTES
            except TimeoutError:
                pass
            finally:
                stalled.set_result(written)
                writer.transport.abort()

        _, writer, end = await through(endless)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        try:
            return await stalled
        finally:
            end()

    assert 0 < own_loop.run(measured()) < HELD_MAX_BYTES


@pytest.mark.parametrize(
    ("bound", "sent"),
    [("HEAD_S", b"GET / HTTP/1.1\r\n"), ("SILENCE_S", b"GET / HTTP/1.1\r\n\r\n")],
)
def test_who_says_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch, bound: str, sent: bytes) -> None:
    """A browser that stops in the middle of a head, and a service that does not answer."""

    async def heard() -> bytes:
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.transport.abort()

        reader, writer, end = await through(silent)
        writer.write(sent)
        try:
            return await asyncio.wait_for(reader.read(), 10 * STALLED_AFTER_S)
        finally:
            end()

    monkeypatch.setattr(connection, bound, 0.1)
    assert own_loop.run(heard()) == b""


def test_the_process_ends_when_the_master_lets_go_of_it(tmp_path: Path) -> None:
    """As where no kernel tells it of its parent's death."""
    ours, its = socket.socketpair()
    with socket.socket(socket.AF_UNIX) as listener, ours:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        with its:
            command = [sys.executable, "-m", "chatapp.demo", "127.0.0.1", "1"]
            process = subprocess.Popen(command, stdin=listener, stdout=its)
        try:
            state = ask(tmp_path / "s", do="look")
            assert [side["side"] for side in state["sides"]] == ["ada", "bob"]
            assert process.poll() is None
            ours.close()
            assert process.wait(ENDS_WITHIN_S) == 0
        finally:
            process.kill()
            process.wait()
