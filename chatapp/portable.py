"""The portable carrier: a stream leaves as the iterable of a WSGI response, under every server, with TLS or without."""

import time
from collections.abc import Iterator

from chatapp.errors import Unavailable
from chatapp.listener import Waiter
from chatapp.stream import CATCH_UP_RETRY_S
from chatapp.stream import EVENTS_PER_WRITE
from chatapp.stream import Stream


def pieces(stream: Stream, waiter: Waiter) -> Iterator[bytes]:
    """Everything that the stream says, piece by piece, waiting in between. Ends with `closing`."""
    yield stream.ready()
    while (reason := stream.over()) is None:
        try:
            events = stream.reader.next(waiter, EVENTS_PER_WRITE, stream.due_s - time.monotonic())
        except Unavailable:
            # Catching up needs the database. The connection stays: what is live comes by the window.
            waiter.pause(CATCH_UP_RETRY_S)
            events = []
        if events:
            yield b"".join(event.frame for event in events)
        if beat := stream.heartbeat():
            yield beat
    if last := stream.closing(reason):
        yield last
