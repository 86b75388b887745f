"""`Answer`: what leaves the service for one request, by way of Flask or without it."""

import time
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from flask import Response
from werkzeug.wsgi import ClosingIterator

from chatapp.web.security_headers import SECURITY_HEADERS
from chatapp.wire import codec

# Every answer belongs to one user.
NOT_KEPT = ("Cache-Control", "no-store")

_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class Answer:
    """A WSGI application that gives this answer. A body that is not bytes is a stream and has no length.

    `after` is called once, when the answer is out or cannot be.
    """

    __slots__ = ("after", "body", "headers", "status")

    def __init__(
        self,
        status: int,
        body: bytes | Iterable[bytes],
        headers: Iterable[tuple[str, str]],
        after: Callable[[], None] | None = None,
    ) -> None:
        self.status = status
        self.body = body
        self.headers = list(headers)
        self.after = after

    @classmethod
    def json(cls, document: Any, status: int = 200, content_type: str = "application/json") -> "Answer":
        return cls(status, codec.dumps(document), (("Content-Type", content_type), NOT_KEPT))

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        headers = [*self.headers, *SECURITY_HEADERS]
        if isinstance(self.body, bytes):
            headers.append(("Content-Length", str(len(self.body))))
            start_response(_STATUS_LINES[self.status], headers)
            return [self.body] if self.after is None else ClosingIterator([self.body], self.after)
        start_response(_STATUS_LINES[self.status], headers)
        return self.body

    def response(self) -> Response:
        """The same for Flask, which adds the security headers, and the length of a body that it can count."""
        body = iter(self.body) if isinstance(self.body, list | tuple) else self.body
        response = Response(body, self.status, self.headers)
        if self.after is not None:
            response.call_on_close(self.after)
        return response


def response_head(status: str, headers: Collection[tuple[str, str]], *, close: bool) -> bytes:
    """An HTTP/1.1 response up to the empty line. Raises ValueError for a line break in a field."""
    fields = "".join([f"{name}: {value}\r\n" for name, value in headers])
    if not fields.count("\r") == fields.count("\n") == len(headers):
        raise ValueError("a header field holds a line break")
    connection = "close" if close else "keep-alive"
    return f"HTTP/1.1 {status}\r\nDate: {_date()}\r\nConnection: {connection}\r\n{fields}\r\n".encode("latin-1")


@lru_cache(maxsize=1)
def _date_of(second: int) -> str:
    return formatdate(second, usegmt=True)


def _date() -> str:
    return _date_of(int(time.time()))
