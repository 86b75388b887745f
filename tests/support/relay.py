"""`Relay`: takes connections, and passes on what is said on each of them to a server and back.

Which server that is, whoever builds on this says, for each connection anew. It can also be nowhere, or far away.
"""

import socket
import threading
import time
from contextlib import suppress
from typing import Self

PIECE_BYTES = 65536


class Relay:
    """`delay_s`: so much later everything arrives, in both directions."""

    def __init__(self) -> None:
        self.delay_s = 0.0
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """End the connections that are open; new ones are taken."""
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def server(self) -> socket.socket | None:
        """A connection to the server that is next; None turns the client away."""
        raise NotImplementedError

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = self.server()
            if server is None:
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
                if self.delay_s > 0:
                    time.sleep(self.delay_s)
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


def connected(port: int) -> socket.socket | None:
    """A connection to this port; None where nobody takes it."""
    with suppress(OSError):
        return socket.create_connection(("127.0.0.1", port))
    return None
