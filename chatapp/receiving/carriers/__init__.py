"""How the bytes of a stream leave: detached from the request that opened it, or as its portable response."""

from chatapp.receiving.carriers.connection import Connection
from chatapp.receiving.carriers.detached import Detached
from chatapp.receiving.carriers.portable import Pieces
from chatapp.receiving.carriers.sockets import SOCKET
from chatapp.receiving.carriers.sockets import Sockets

__all__ = ["SOCKET", "Connection", "Detached", "Pieces", "Sockets"]
