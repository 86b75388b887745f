"""`Forwarded`: what the proxies in front say of a request, believed as far as it can be true."""

import re
from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

from werkzeug.middleware.proxy_fix import ProxyFix

from chatapp import origin

App = Callable[[dict[str, Any], Any], Iterable[bytes]]

# It stands in the page and in the cookie's path as it is; two slashes at its beginning would name another host.
_PREFIX = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]{1,100}){0,10}", re.ASCII)
# Whatever it is, it stands in the access log as it is.
_ADDRESS = re.compile(r"[A-Za-z0-9_.:%\[\]-]{1,100}", re.ASCII)
# Where ProxyFix keeps what it replaces.
_BEFORE = "werkzeug.proxy_fix.orig"


class Forwarded:
    """WSGI middleware. Each of so many proxies adds its value, and the one of the outermost counts.

    What is malformed is as if it had not been said. `X-Forwarded-Port` is never believed: a port stands in the host.
    """

    def __init__(self, app: App, proxies: int) -> None:
        self._app = app
        self._told: App = ProxyFix(self._checked, proxies, proxies, proxies, 0, proxies)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return self._told(environ, start_response)

    def _checked(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        before = environ[_BEFORE]
        scheme = environ["wsgi.url_scheme"].lower()
        environ["wsgi.url_scheme"] = scheme if scheme in origin.DEFAULT_PORTS else before["wsgi.url_scheme"]
        prefix = environ["SCRIPT_NAME"].removesuffix("/")
        environ["SCRIPT_NAME"] = prefix if _PREFIX.fullmatch(prefix) else before["SCRIPT_NAME"]
        if not _ADDRESS.fullmatch(environ.get("REMOTE_ADDR") or "unknown"):
            environ["REMOTE_ADDR"] = "unknown"
        if environ.get("HTTP_HOST") != before["HTTP_HOST"] and not _is_host(environ["HTTP_HOST"]):
            _restore(environ, {name: before[name] for name in ("HTTP_HOST", "SERVER_NAME", "SERVER_PORT")})
        return self._app(environ, start_response)


def _is_host(text: str) -> bool:
    return text.isascii() and origin.at("http", text) is not None


def _restore(environ: dict[str, Any], values: dict[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            environ.pop(name, None)
        else:
            environ[name] = value
