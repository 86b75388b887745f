"""`Front`: one address in front of several servers, as a load balancer in front of hosts: each connection goes to the
next one that takes it, wherever those before went.
"""

import itertools
import socket
from collections.abc import Sequence

from tests.support.relay import Relay
from tests.support.relay import connected


class Front(Relay):
    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = ports
        self._turns = itertools.count()
        super().__init__()
        self.url = f"http://127.0.0.1:{self.port}"

    def server(self) -> socket.socket | None:
        first = next(self._turns) % len(self._ports)
        in_turn = [*self._ports[first:], *self._ports[:first]]
        return next((server for port in in_turn if (server := connected(port)) is not None), None)
