"""A TCP proxy that a test owns, to take the server away from a browser and to give it back.

Playwright's offline mode leaves an open EventSource alone; a closed socket does not.
"""

import contextlib
import select
import socket
import threading
from typing import Self

CHUNK_BYTES = 65_536
LOOK_SECONDS = 0.05  # how soon a cut is noticed by an idle connection


class TcpProxy:
    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._mute = threading.Event()
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._listener: socket.socket | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self.restore()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        for thread in self._threads:
            thread.join(timeout=5)

    def restore(self) -> None:
        """Listen, on the same port as before."""
        listener = socket.create_server(("127.0.0.1", self._port), backlog=128)
        self._port = listener.getsockname()[1]
        self._listener = listener
        self._start(self._accept, listener)

    def cut(self) -> None:
        """Refuse new connections and end the ones that are open."""
        listener, self._listener = self._listener, None
        if listener:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        with self._lock:
            connections, self._connections = self._connections, set()
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def mute_streams(self) -> None:
        """Hold back every answer that is an event stream, as some proxies do."""
        self._mute.set()

    def _start(self, run: object, *args: object) -> None:
        thread = threading.Thread(target=run, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with client:
            try:
                server = socket.create_connection(self._target, timeout=5)
            except OSError:
                return
            with server:
                with self._lock:
                    self._connections |= {client, server}
                with contextlib.suppress(OSError):
                    self._pump(client, server)
                with self._lock:
                    self._connections -= {client, server}

    def _pump(self, client: socket.socket, server: socket.socket) -> None:
        muted = False
        while True:
            readable, _, _ = select.select([client, server], [], [], LOOK_SECONDS)
            for source in readable:
                data = source.recv(CHUNK_BYTES)
                if not data:
                    return
                if source is server and self._mute.is_set() and b"text/event-stream" in data:
                    muted = True
                if source is client:
                    server.sendall(data)
                elif not muted:
                    client.sendall(data)
