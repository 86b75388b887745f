"""`ask`: how a worker talks to the demonstration's process."""

import json
import socket
from pathlib import Path
from typing import Any
from typing import cast

from chatapp.demo.shapes import State

# The process may have to be started first.
ANSWER_S = 6.0
PIECE_BYTES = 65_536


class Away(Exception):
    """There is no process, and nobody who would start it; or it does not answer."""


def ask(path: Path, **request: Any) -> State:
    """What the process says to this. Raises Away."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_S)
            connection.connect(str(path))
            connection.sendall(json.dumps(request).encode() + b"\n")
            answer = b"".join(iter(lambda: connection.recv(PIECE_BYTES), b""))
        return cast(State, json.loads(answer))
    except (OSError, ValueError) as error:
        raise Away(str(error)) from None
