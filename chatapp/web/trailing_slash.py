"""`TrailingSlash`: an address with one slash behind it is the same one, without a redirect, which loses bodies."""

from collections.abc import Callable
from collections.abc import Iterable
from typing import Any


class TrailingSlash:
    """WSGI middleware before all that looks at the path."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.endswith("/") and path != "/" and _is_behind(environ.get("RAW_URI", path)):
            environ["PATH_INFO"] = path[:-1]
        return self._app(environ, start_response)


def _is_behind(uri: str) -> bool:
    """An encoded slash belongs to what is named: to a user's id, which the host chooses."""
    sent = uri.partition("#")[0].partition("?")[0]
    return sent.endswith("/") and not sent.endswith("//")
