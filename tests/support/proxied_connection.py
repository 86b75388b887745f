"""`ProxiedConnection`: one client's connection, its twin to the server, and the faults between them."""

import contextlib
import select
import socket
import threading
import time
from dataclasses import dataclass

CHUNK_BYTES = 65_536
CONNECT_WITHIN_S = 5.0
LOOK_S = 0.05  # how soon the end of a fault is noticed; without a fault nothing looks

CHANGING = ("POST", "PATCH", "DELETE")
RECEIVING = ("/api/v1/events/stream", "/api/v1/events/poll")


@dataclass
class Faults:
    """What is wrong with the network now. Read by every connection at every chunk."""

    silent: bool = False
    streams_muted: bool = False
    swallow_for_s: float | None = None
    stream_answer: bytes | None = None
    stream_answers: int = 0


class Requests:
    """Cuts what a client sends into requests, by their heads and Content-Length."""

    def __init__(self) -> None:
        self._head = b""
        self._body_left = 0

    def feed(self, data: bytes) -> list[tuple[str, str, bytes]]:
        """(method, path, bytes) where a request begins; ("", "", bytes) where one goes on."""
        pieces: list[tuple[str, str, bytes]] = []
        while data:
            if self._body_left:
                pieces.append(("", "", data[: self._body_left]))
                data, self._body_left = data[self._body_left :], max(0, self._body_left - len(data))
                continue
            head, end, data = (self._head + data).partition(b"\r\n\r\n")
            if not end:
                self._head = head
                break
            self._head = b""
            first, *lines = head.decode("latin-1").split("\r\n")
            method, path, *_ = [*first.split(" "), "", ""]
            fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            self._body_left = int(fields.get("content-length", "0"))
            pieces.append((method, path.partition("?")[0], head + end))
        return pieces


class ProxiedConnection:
    """`run` returns when either side ended, or after `end`."""

    def __init__(self, client: socket.socket, target: tuple[str, int], faults: Faults) -> None:
        self._client = client
        self._server: socket.socket | None = None
        self._target = target
        self._faults = faults
        self._ended = threading.Event()
        self._requests = Requests()
        self._answered_here = False
        self._swallow_until_s: float | None = None
        self._answer_begins = False
        self._streaming = False
        self._held = b""

    def run(self) -> None:
        with self._client, contextlib.suppress(OSError):
            self._wait_while_silent()
            with socket.create_connection(self._target, timeout=CONNECT_WITHIN_S) as server:
                server.settimeout(None)
                for side in (self._client, server):
                    side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._server = server
                self._pump(server)

    def end(self) -> None:
        self._ended.set()
        for side in (self._client, self._server):
            if side is not None:
                with contextlib.suppress(OSError):
                    side.shutdown(socket.SHUT_RDWR)

    def _pump(self, server: socket.socket) -> None:
        look = select.poll()  # not select(): it ends at 1,024 open files
        sides = {self._client.fileno(): self._client, server.fileno(): server}
        for number in sides:
            look.register(number, select.POLLIN)
        while not self._ended.is_set():
            ready = look.poll(self._patience_ms())
            if self._swallow_until_s is not None and time.monotonic() >= self._swallow_until_s:
                return
            if self._held and not self._faults.streams_muted:
                self._client.sendall(self._held)
                self._held = b""
            # What waits in the sockets meanwhile is given afterwards, as after packets that were sent again.
            self._wait_while_silent()
            for number, _ in ready:
                data = sides[number].recv(CHUNK_BYTES)
                if not data:
                    return
                if sides[number] is server:
                    self._answer(data)
                else:
                    for method, path, piece in self._requests.feed(data):
                        self._ask(server, method, path, piece)

    def _ask(self, server: socket.socket, method: str, path: str, piece: bytes) -> None:
        faults = self._faults
        if method:
            self._answer_begins = True
            self._answered_here = path in RECEIVING and faults.stream_answer is not None
            if self._answered_here:
                faults.stream_answers += 1
                self._client.sendall(faults.stream_answer or b"")
            if method in CHANGING and faults.swallow_for_s is not None:
                self._swallow_until_s = time.monotonic() + faults.swallow_for_s
        if not self._answered_here:
            server.sendall(piece)

    def _answer(self, data: bytes) -> None:
        if self._answer_begins:
            self._answer_begins = False
            self._streaming = b"text/event-stream" in data
        if self._swallow_until_s is not None:
            return
        if self._streaming and (self._held or self._faults.streams_muted):
            self._held += data
        else:
            self._client.sendall(data)

    def _patience_ms(self) -> float | None:
        if self._held:
            return LOOK_S * 1000
        if self._swallow_until_s is not None:
            return max(0.0, self._swallow_until_s - time.monotonic()) * 1000
        return None

    def _wait_while_silent(self) -> None:
        while self._faults.silent and not self._ended.wait(LOOK_S):
            pass
