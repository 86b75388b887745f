"""`MovingName`: an address that leads to one server and later to another, as a managed failover moves a name.

Connections that are open stay where they are. It can also lead nowhere, or far away.
"""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Self

PIECE_BYTES = 65536


class MovingName:
    """`delay_s`: so much later everything arrives, in both directions."""

    def __init__(self, port: int) -> None:
        self._to: int | None = port
        self._before: int | None = port
        self.delay_s = 0.0
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

    def cut_off(self) -> None:
        """Nobody gets through, until it points to a server again."""
        self._before, self._to = self._to, None
        self.cut()

    def lead_back(self) -> None:
        self._to = self._before

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
                if self._to is None:
                    raise ConnectionRefusedError
                server = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                client.close()
                continue
            passed_on(client, server, self._open, lambda: self.delay_s)


def passed_on(
    client: socket.socket,
    server: socket.socket,
    is_open: set[socket.socket],
    delay_s: Callable[[], float] = lambda: 0.0,
) -> None:
    """Pass on what each says to the other, by threads, until both have ended. They are in `is_open` as long as that."""
    is_open |= {client, server}
    ends = threading.Semaphore(0)
    for source, sink in ((client, server), (server, client)):
        threading.Thread(target=_pass_on, args=(source, sink, ends, delay_s), daemon=True).start()
    threading.Thread(target=_close, args=(client, server, ends, is_open), daemon=True).start()


def _pass_on(
    source: socket.socket, sink: socket.socket, ends: threading.Semaphore, delay_s: Callable[[], float]
) -> None:
    with suppress(OSError):
        while piece := source.recv(PIECE_BYTES):
            if (late_s := delay_s()) > 0:
                time.sleep(late_s)
            sink.sendall(piece)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)
    ends.release()


def _close(
    client: socket.socket, server: socket.socket, ends: threading.Semaphore, is_open: set[socket.socket]
) -> None:
    ends.acquire()
    ends.acquire()
    for one in (client, server):
        is_open.discard(one)
        one.close()
