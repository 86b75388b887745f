"""`TcpProxy`: a proxy that a test owns, to give a client every network that a client may meet.

Playwright's offline mode leaves an open EventSource alone; a closed socket does not.
"""

import contextlib
import socket
import threading
from http import HTTPStatus
from typing import Self

from tests.support.proxied_connection import Faults
from tests.support.proxied_connection import ProxiedConnection

END_WITHIN_S = 5.0
SWALLOW_FOR_S = 0.5  # a server that is not overloaded has committed by then


class TcpProxy:
    """Each fault holds until it is taken back, for open connections and for new ones; they add up."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._faults = Faults()
        self._connections: set[ProxiedConnection] = set()
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._listener: socket.socket | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def stream_answers(self) -> int:
        """How often `answer_streams` has answered."""
        return self._faults.stream_answers

    def __enter__(self) -> Self:
        self.restore()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        for thread in list(self._threads):
            thread.join(END_WITHIN_S)

    def restore(self) -> None:
        """Listen, on the same port as before."""
        with self._lock:
            if self._listener is not None:
                return
            listener = socket.create_server(("127.0.0.1", self._port), backlog=128)
            self._port = listener.getsockname()[1]
            self._listener = listener
        self._start(self._accept, listener)

    def cut(self) -> None:
        """Refuse new connections and end the ones that are open."""
        with self._lock:
            listener, self._listener = self._listener, None
        if listener:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.cut_now()

    def cut_now(self) -> None:
        """End the connections that are open; new ones are taken."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            connection.end()

    def mute_streams(self, on: bool = True) -> None:
        """Hold back what comes of an event stream, as buffering proxies do; it is passed on when that is over."""
        self._faults.streams_muted = on

    def swallow_replies(self, after_s: float | None = SWALLOW_FOR_S) -> None:
        """A change (POST, PATCH, DELETE) reaches the server, gets no answer, and is cut this much later."""
        self._faults.swallow_for_s = after_s

    def silence(self, on: bool = True) -> None:
        """No byte either way, no connection ends, new ones hear nothing; what was written comes when that is over."""
        self._faults.silent = on

    def answer_streams(self, status: int | None, body: bytes = b"", content_type: str = "text/html") -> None:
        """A broken gateway: new streams and polls get this answer, the rest passes. None takes it back."""
        if status is None:
            self._faults.stream_answer = None
            return
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
        if status != HTTPStatus.NO_CONTENT:
            lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
        self._faults.stream_answer = "\r\n".join([*lines, "", ""]).encode("latin-1") + body

    def heal(self) -> None:
        """Plain forwarding again, whatever was wrong."""
        self.mute_streams(False)
        self.swallow_replies(None)
        self.answer_streams(None)
        self.silence(False)
        self.restore()

    def _start(self, run: object, *args: object) -> None:
        thread = threading.Thread(target=run, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads = {one for one in self._threads if one.is_alive()} | {thread}
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            connection = ProxiedConnection(client, self._target, self._faults)
            with self._lock:
                if self._listener is not listener:
                    client.close()
                    return
                self._connections.add(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: ProxiedConnection) -> None:
        connection.run()
        with self._lock:
            self._connections.discard(connection)
