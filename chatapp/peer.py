"""`watch_end`: notice at once that the other side of a connection is gone, not at the next write to it."""

import socket
import ssl
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gevent

READABLE = 1


@contextmanager
def watch_end(connection: Any, on_end: Callable[[], None]) -> Iterator[None]:
    """Call `on_end` when the peer closes. `connection` is gunicorn's socket, or None under another server.

    What TLS in gunicorn holds cannot be looked at without taking it: there the next write has to notice.
    """
    if connection is None or isinstance(connection, ssl.SSLSocket):
        yield
        return
    watcher = gevent.get_hub().loop.io(connection.fileno(), READABLE)

    def look() -> None:
        try:
            ended = connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return
        except OSError:
            ended = True
        # Bytes that came instead are the next request's; they would wake this for ever.
        watcher.stop()
        if ended:
            on_end()

    watcher.start(look)
    try:
        yield
    finally:
        watcher.stop()
        watcher.close()
