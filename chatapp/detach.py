"""`Detach`: around the application; hands the socket of a stream to the detached carrier instead of answering."""

import logging
from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

from chatapp.answer import response_head
from chatapp.detached import Connection
from chatapp.detached import Detached

log = logging.getLogger(__name__)

# Where a view leaves the connection whose stream it opened.
CONNECTION = "chatapp.connection"


class Detach:
    """Must be the outermost: what lies within it sees an ordinary response without a body."""

    def __init__(self, app: Callable[..., Iterable[bytes]], detached: Detached) -> None:
        self._app = app
        self._detached = detached

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        head = b""

        def remember(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            nonlocal head
            head = response_head(status, headers, close=True) if CONNECTION in environ else b""
            return start_response(status, headers, exc_info)

        try:
            body = self._app(environ, remember)
        except BaseException:
            self._detached.drop(environ.pop(CONNECTION, None))
            raise
        connection: Connection | None = environ.pop(CONNECTION, None)
        if connection is None:
            return body
        if hasattr(body, "close"):
            body.close()
        try:
            self._detached.adopt(connection, environ["gunicorn.socket"].fileno(), head)
        except OSError as error:
            log.warning("a stream was not opened: %s", error)
            self._detached.drop(connection)
        # gunicorn takes this for the end of the connection and closes its own descriptor, before it sent a byte.
        raise StopIteration
