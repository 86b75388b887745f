"""`Front`: one address in front of several servers, as a load balancer in front of hosts: each connection goes to the
next one that takes it, wherever those before went.
"""

import itertools
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

from tests.support.moving_name import passed_on


class Front:
    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = ports
        self._turns = itertools.count()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = self._next()
            if server is None:
                client.close()
                continue
            passed_on(client, server, self._open)

    def _next(self) -> socket.socket | None:
        first = next(self._turns)
        for number in range(len(self._ports)):
            with suppress(OSError):
                return socket.create_connection(("127.0.0.1", self._ports[(first + number) % len(self._ports)]))
        return None
