"""`OpenAnswer`: an answer that comes piece by piece, read by a thread, so that whoever waits for it can stop.

httpx bounds each read, but one bound must hold for the first bytes of a stream and another for the rest, and a thread
that waits for a socket cannot be called away from it.
"""

import queue
import threading
from contextlib import suppress

import httpx

from chatapp.client.answer import Answer
from chatapp.client.errors import Closed
from chatapp.client.errors import NoAnswer
from chatapp.client.http_request import no_answer

# What may wait for a slow reader; then the service feels it.
PIECES_MAX = 64
# How soon a thread notices that nobody reads any more.
NOTICED_WITHIN_S = 1.0

Piece = Answer | bytes | NoAnswer


class _Receiving:
    """One answer on its way from the socket, and whether somebody still wants it."""

    def __init__(self) -> None:
        self.pieces: queue.Queue[Piece] = queue.Queue(PIECES_MAX)
        self.unwanted = threading.Event()

    def put(self, piece: Piece) -> bool:
        while not self.unwanted.is_set():
            try:
                self.pieces.put(piece, timeout=NOTICED_WITHIN_S)
            except queue.Full:
                continue
            return True
        return False


class OpenAnswer:
    """One at a time; opening another lets go of the one before. Used by one thread, but for `shut`."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._now: _Receiving | None = None
        # Whoever waits then gets Closed.
        self.is_shut = threading.Event()

    def open(self, request: httpx.Request, within_s: float) -> Answer:
        """Status and headers. Raises NoAnswer, Closed."""
        if self.is_shut.is_set():
            raise Closed
        self._let_go()
        self._now = _Receiving()
        receiving = (self._http, request, self._now)
        threading.Thread(target=_receive, args=receiving, name="chatapp-listen", daemon=True).start()
        head = self._next(within_s)
        assert isinstance(head, Answer)
        return head

    def read(self, within_s: float) -> bytes:
        """The next bytes, none at the end. Raises NoAnswer, Closed."""
        piece = self._next(within_s)
        assert isinstance(piece, bytes)
        return piece

    def shut(self) -> None:
        """Whoever waits, in whatever thread, gets Closed at once."""
        self.is_shut.set()
        self._let_go()

    def _let_go(self) -> None:
        now = self._now
        if now is not None:
            now.unwanted.set()
            # Where it is full, nobody waits for a piece.
            with suppress(queue.Full):
                now.pieces.put_nowait(NoAnswer("let go"))

    def _next(self, within_s: float) -> Answer | bytes:
        if self.is_shut.is_set() or self._now is None:
            raise Closed
        try:
            piece = self._now.pieces.get(timeout=max(0.0, within_s))
        except queue.Empty:
            piece = NoAnswer(f"nothing came for {within_s:.0f} s", timed_out=True)
        if self.is_shut.is_set():
            raise Closed
        if isinstance(piece, NoAnswer):
            self._let_go()
            raise piece
        return piece

    def __del__(self) -> None:
        # A loop over events that was left: nobody will ask again.
        self._let_go()


def _receive(http: httpx.Client, request: httpx.Request, now: _Receiving) -> None:
    try:
        response = http.send(request, stream=True)
        try:
            now.put(Answer(response.status_code, response.headers))
            for piece in response.iter_bytes():
                if piece and not now.put(piece):
                    return
            now.put(b"")
        finally:
            response.close()
    except httpx.HTTPError as error:
        now.put(no_answer(error))
    except Exception as error:
        # The client was closed in between: httpx says so in several ways.
        now.put(NoAnswer(f"{type(error).__name__}: {error}"))
