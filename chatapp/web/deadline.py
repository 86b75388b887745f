"""`Deadline`: every request is answered in time, and its body is there in time, or it is refused."""

import logging
import time
from collections.abc import Callable
from collections.abc import Iterable
from contextlib import nullcontext
from functools import wraps
from io import BytesIO
from typing import Any
from typing import ParamSpec
from typing import TypeVar

import gevent
from flask import request

from chatapp.errors import ChatError
from chatapp.errors import InvalidJson
from chatapp.errors import Unavailable
from chatapp.web.answers import Answer
from chatapp.web.shown import shown

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")
# The answer of an error at this path.
Refusal = Callable[[str, ChatError], Answer]

# What a request may bring: a batch, and a long message's end, much; any other little.
LONG_PATHS = ("/messages/batch", "/finish")
LONG_MAX_BYTES = 512 * 1024
REQUEST_MAX_BYTES = 64 * 1024
# A send is answered within 10 s; half of that may go by until it is here.
BODY_SECONDS = 5.0
# The contract's 10 s, less what it takes to say so. Each step has a bound of its own below this.
ANSWER_SECONDS = 9.5
# A view that can say more of its failure than this module ends so much earlier.
TO_SAY_SECONDS = 0.5
# A poll is a request that waits on purpose, within the bound of its `wait`; so is that of a durable stream.
POLL_PATH = "/events/poll"
DURABLE_PATHS = "/api/v1/durable/"

# In the environ, where the server has them: a context in which this connection may give way to others, and what makes
# the connection end with this answer.
WAITING = "chatapp.waiting"
CLOSE = "chatapp.close"
# In the environ: when the time for the answer is over, by the monotonic clock.
ENDS = "chatapp.ends"


def body_max_bytes(path: str) -> int:
    """The largest body that this address takes. A larger one is refused by its Content-Length, and not read."""
    return LONG_MAX_BYTES if path.rstrip("/").endswith(LONG_PATHS) else REQUEST_MAX_BYTES


class Deadline:
    """Around the application: reads each body that some route may take, then lets it answer.

    gunicorn itself waits for ever for the rest of a body. What is too large is not read at all. A stream is answered
    when it is opened, and a poll has a bound of its own.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]], refusal: Refusal) -> None:
        self._app = app
        self._refusal = refusal

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path.rstrip("/").endswith(POLL_PATH) or path.startswith(DURABLE_PATHS):
            return self._answer(environ, start_response)
        environ[ENDS] = time.monotonic() + ANSWER_SECONDS
        # It is not an Exception, so it passes through everything that handles errors, and ends every wait.
        timeout = gevent.Timeout(ANSWER_SECONDS)
        try:
            with timeout:
                return self._answer(environ, start_response)
        except gevent.Timeout as expired:
            if expired is not timeout:
                raise
            log.warning("%s %s: no answer in time", shown(environ["REQUEST_METHOD"]), shown(environ["PATH_INFO"]))
            return self._refuse(Unavailable("There was no answer in time."), environ, start_response)

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or "0"
        if length.isascii() and length.isdigit() and 0 < int(length) <= body_max_bytes(environ["PATH_INFO"]):
            with environ.get(WAITING, nullcontext)():
                raw = gevent.with_timeout(BODY_SECONDS, _read, environ["wsgi.input"], int(length), timeout_value=None)
            if raw is None:
                environ.get(CLOSE, bool)()
                return self._refuse(InvalidJson("The body did not arrive in time."), environ, start_response)
            environ["wsgi.input"] = BytesIO(raw)
        return self._app(environ, start_response)

    def _refuse(self, error: ChatError, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return self._refusal(environ["PATH_INFO"], error)(environ, start_response)


def in_time(view: Callable[P, R]) -> Callable[P, R]:
    """A view that raises Unavailable a little before `Deadline` gives it up, so that it can say what is not done."""

    @wraps(view)
    def bounded(*args: P.args, **kwargs: P.kwargs) -> R:
        left_s: float = request.environ[ENDS] - TO_SAY_SECONDS - time.monotonic()
        timeout = gevent.Timeout(max(0.0, left_s))
        try:
            with timeout:
                return view(*args, **kwargs)
        except gevent.Timeout as expired:
            if expired is not timeout:
                raise
            raise Unavailable("There was no answer in time.") from None

    return bounded


def _read(source: Any, length: int) -> bytes | None:
    """The whole body, or None if it was cut off."""
    pieces: list[bytes] = []
    while length > 0:
        piece = source.read(length)
        if not piece:
            return None
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)
