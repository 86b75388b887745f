"""`Handover`: gives the socket of an opened stream to the detached carrier instead of answering on it."""

import logging
from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

from chatapp.receiving import SOCKET
from chatapp.receiving import Connection
from chatapp.receiving import Detached
from chatapp.web.answers import response_head

log = logging.getLogger(__name__)

# In the environ: where a view leaves the connection whose stream it opened.
CONNECTION = "chatapp.connection"


class HandedOver(Exception):
    """The socket has another owner now: the server lets go of it without a word to the peer."""


class Handover:
    """WSGI middleware. It must be the outermost: the others see an ordinary response without a body."""

    def __init__(self, app: Callable[..., Iterable[bytes]], detached: Detached) -> None:
        self._app = app
        self._detached = detached

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Raises HandedOver when there is nothing to answer any more."""
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
            self._detached.adopt(connection, environ[SOCKET].fileno(), head)
        except OSError as error:
            log.warning("a stream was not opened: %s", error)
            self._detached.drop(connection)
        raise HandedOver
