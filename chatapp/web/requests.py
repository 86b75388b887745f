"""`Requests`: each request has an id, and whoever wants to know is told when its answer is out."""

import re
import secrets
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from functools import lru_cache
from itertools import count
from typing import Any
from typing import NamedTuple

from flask import Flask
from flask import request

from chatapp.receiving import Request

NAME = "chatapp.requests"
# In the environ: the id of this request, its trace, the address as the routes have it, and whether a stream was opened
# that says by itself when it is over.
REQUEST_ID = "chatapp.request_id"
TRACE_PARENT = "chatapp.trace_parent"
ROUTE = "chatapp.route"
STREAM_OPENED = "chatapp.stream_opened"

HEADER = "X-Request-ID"
# What a proxy in front may call a request: it stands in the log as it is.
_GIVEN = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}", re.ASCII)
# https://www.w3.org/TR/trace-context/: version, trace, parent, flags.
_TRACE_PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.{0,100})?")
_VARIABLE = re.compile(r"<(?:[^:<>]*:)?(\w+)>")
STATIC, STATIC_ROUTE = "/static/", "/static/{file}"

App = Callable[..., Iterable[bytes]]


class Answered(NamedTuple):
    """One request and its answer. `route` is the address without what was filled in, None where there is no such one;
    `trace_parent` as the header has it; `begun_s` is a moment of `time.time`."""

    method: str
    route: str | None
    status: int
    begun_s: float
    seconds: float
    bytes: int
    request_id: str
    trace_parent: str | None


class Requests:
    """WSGI middleware. A stream is not among what is told: how it ends is known to the stream."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._made = f"{secrets.token_hex(6)}-"
        self._number = count(1)
        # Called with each answer that is out, or cannot be.
        self.on_answered: list[Callable[[Answered], None]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        begun_s = time.monotonic()
        id_ = environ[REQUEST_ID] = self._id(environ.get("HTTP_X_REQUEST_ID"))
        parent = _trace_parent(environ)
        status, size = 500, 0

        def start(line: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            nonlocal status, size
            status = int(line[:3])
            for name, value in headers:
                if name == "Content-Length":
                    size = int(value)
            return start_response(line, [*headers, (HEADER, id_)], exc_info)

        def answered() -> None:
            seconds = time.monotonic() - begun_s
            route = environ.get(ROUTE) or (STATIC_ROUTE if environ["PATH_INFO"].startswith(STATIC) else None)
            told = Answered(environ["REQUEST_METHOD"], route, status, time.time() - seconds, seconds, size, id_, parent)
            for tell in self.on_answered:
                tell(told)

        try:
            body = self._app(environ, start)
        except BaseException:
            answered()
            raise
        return body if STREAM_OPENED in environ else _Body(body, answered)

    def _id(self, given: str | None) -> str:
        """The proxy's, so that both logs can be laid side by side, or one of our own."""
        if given is not None and _GIVEN.fullmatch(given):
            return given
        return f"{self._made}{next(self._number):x}"


class _Body:
    """An answer's body that says when it is out, or cannot be."""

    __slots__ = ("_answered", "_pieces")

    def __init__(self, pieces: Iterable[bytes], answered: Callable[[], None]) -> None:
        self._pieces = pieces
        self._answered = answered

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)

    def close(self) -> None:
        try:
            if hasattr(self._pieces, "close"):
                self._pieces.close()
        finally:
            self._answered()


def register(app: Flask) -> None:
    """Have each request that goes through Flask say which route it took."""
    app.before_request(_note_route)


def of(app: Flask) -> Requests:
    """The ones of this application."""
    found: Requests = app.extensions[NAME]
    return found


def trace_id(parent: str | None) -> str | None:
    """The trace that a request belongs to, of what `Answered` calls its parent."""
    return None if parent is None else parent[3:35]


def known_as(environ: dict[str, Any]) -> Request:
    """By which names what this request receives stands in the log."""
    return Request(environ.get(REQUEST_ID), trace_id(environ.get(TRACE_PARENT)))


def _note_route() -> None:
    if request.url_rule is not None:
        request.environ[ROUTE] = _template(request.url_rule.rule)


@lru_cache(maxsize=256)
def _template(rule: str) -> str:
    return _VARIABLE.sub(r"{\1}", rule)


def _trace_parent(environ: dict[str, Any]) -> str | None:
    given = environ.get("HTTP_TRACEPARENT")
    if given is None or not _TRACE_PARENT.fullmatch(given):
        return None
    environ[TRACE_PARENT] = given
    return str(given)
