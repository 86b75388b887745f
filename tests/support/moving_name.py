"""`MovingName`: an address that leads to one server and later to another, as a managed failover moves a name.

Connections that are open stay where they are.
"""

import socket

from tests.support.relay import Relay
from tests.support.relay import connected


class MovingName(Relay):
    def __init__(self, port: int) -> None:
        self._to = port
        self._is_off = False
        super().__init__()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def point_to(self, port: int) -> None:
        self._to = port

    def cut_off(self) -> None:
        """Nobody gets through, until it leads back."""
        self._is_off = True
        self.cut()

    def lead_back(self) -> None:
        self._is_off = False

    def server(self) -> socket.socket | None:
        return None if self._is_off else connected(self._to)
