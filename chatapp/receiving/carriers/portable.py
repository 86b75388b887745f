"""The portable carrier: a stream leaves as the iterable of a WSGI response, under every server, with TLS or without."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

from chatapp import metrics
from chatapp.errors import Unavailable
from chatapp.eventlog import Waiter
from chatapp.receiving import receiving_log
from chatapp.receiving.receiving_log import Request
from chatapp.receiving.stream import CATCH_UP_RETRY_S
from chatapp.receiving.stream import Stream


class Pieces:
    """Everything that a stream says, piece by piece, with waits in between. `close` gives back what is `held`."""

    def __init__(self, stream: Stream, waiter: Waiter, request: Request) -> None:
        self._stream = stream
        self._waiter = waiter
        self._request = request
        self._events = 0
        self._bytes = 0
        # Closed before it has come to its end, its peer is gone.
        self._reason = "gone"
        self.held = ExitStack()
        self.held.callback(self._ended)

    def close(self) -> None:
        self.held.close()

    def _ended(self) -> None:
        metrics.streams_ended.labels(self._reason).inc()
        receiving_log.over(
            "stream over",
            self._request,
            seconds=time.monotonic() - self._stream.begun_s,
            events=self._events,
            bytes_=self._bytes,
            reason=self._reason,
        )

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces():
            # A piece that its peer did not take is counted too: this side does not know.
            self._bytes += len(piece)
            yield piece

    def _pieces(self) -> Iterator[bytes]:
        stream = self._stream
        yield stream.ready()
        while (reason := stream.over()) is None:
            try:
                count, said = stream.news(self._waiter)
            except Unavailable:
                # Catching up needs the database. The connection stays, and its heartbeats.
                self._waiter.pause(CATCH_UP_RETRY_S)
                count, said = 0, b""
            metrics.delivered_by_stream.inc(count)
            self._events += count
            if said:
                yield said
            if beat := stream.heartbeat():
                yield beat
        self._reason = reason
        if last := stream.closing(reason):
            yield last
