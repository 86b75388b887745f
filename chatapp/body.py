"""`BodyDeadline`: a request's body is there in time, or the request is refused."""

from collections.abc import Callable
from collections.abc import Iterable
from io import BytesIO
from typing import Any

import gevent

from chatapp.errors import InvalidJson
from chatapp.errors import problem_response

# The largest body that any route takes: a batch.
BODY_MAX_BYTES = 512 * 1024
# A send is answered within 10 s; half of that may go by until it is here.
BODY_SECONDS = 5.0


class BodyDeadline:
    """Reads each body that some route may take before the application runs.

    gunicorn itself waits for ever for the rest of a body. What is too large is not read at all: the route
    refuses it by its Content-Length.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or "0"
        if length.isascii() and length.isdigit() and 0 < int(length) <= BODY_MAX_BYTES:
            raw = self._read(environ["wsgi.input"], int(length))
            if raw is None:
                return problem_response(InvalidJson("The body did not arrive in time."))(environ, start_response)
            environ["wsgi.input"] = BytesIO(raw)
        return self._app(environ, start_response)

    def _read(self, source: Any, length: int) -> bytes | None:
        """The whole body, or None if it was cut off or is late."""
        return gevent.with_timeout(BODY_SECONDS, _read_all, source, length, timeout_value=None)


def _read_all(source: Any, length: int) -> bytes | None:
    pieces: list[bytes] = []
    while length > 0:
        piece = source.read(length)
        if not piece:
            return None
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)
