"""`MovingName`: an address that leads to one server and later to another, as a managed failover moves a name.

Connections that are open stay where they are.
"""

import socket
import threading
from contextlib import suppress
from typing import Self

PIECE_BYTES = 65536


class MovingName:
    def __init__(self, port: int) -> None:
        self._to = port
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def point_to(self, port: int) -> None:
        self._to = port

    def cut(self) -> None:
        """End the connections that are open; new ones are taken."""
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                client.close()
                continue
            self._open |= {client, server}
            ends = threading.Semaphore(0)
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=(source, sink, ends), daemon=True).start()
            threading.Thread(target=self._close, args=(client, server, ends), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, ends: threading.Semaphore) -> None:
        with suppress(OSError):
            while piece := source.recv(PIECE_BYTES):
                sink.sendall(piece)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)
        ends.release()

    def _close(self, client: socket.socket, server: socket.socket, ends: threading.Semaphore) -> None:
        ends.acquire()
        ends.acquire()
        for one in (client, server):
            self._open.discard(one)
            one.close()
