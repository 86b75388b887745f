"""The cookie of a session: what it is called here, which ones a request brings, how it is set and cleared."""

import re
from functools import lru_cache
from typing import Any

from flask import request
from werkzeug.wrappers import Response

from chatapp.origin import DEFAULT_PORTS
from chatapp.origin import port_of
from chatapp.people import SignedIn
from chatapp.runtime import utc_now

# What every service takes: clients that put a token into a cookie themselves, and sessions from before the suffixes.
PLAIN_NAME = "chatapp_session"
# A browser sends the cookies of all paths that fit, the stale ones too. More than a few are not worth a look-up each.
TOKENS_MAX = 4
# A service has few hosts; looking one up takes less than taking it apart.
REMEMBERED = 256
# By the standard `;` stands between cookies; servers and proxies that make one line of several put a `,` there. A
# token holds neither.
_SESSION = re.compile(rf"(?:^|(?<=[;,]))[ \t]*({PLAIN_NAME}[^=;, \t]*)[ \t]*=([^;,]*)")
_NOT_IN_A_NAME = re.compile("[^A-Za-z0-9]+")


def name_of(environ: dict[str, Any]) -> str:
    """Browsers keep hosts apart, but not their ports: each service at another port or path has a name of its own."""
    return _name(environ.get("HTTP_HOST", ""), environ["SCRIPT_NAME"])


def name_at(port: int) -> str:
    """The one that this service goes by at another port of this host."""
    return _name(f"localhost:{port}", request.root_path)


def name_beside(name: str) -> str:
    """Another cookie's name, told apart from those of other services in the same way."""
    return name + name_of(request.environ).removeprefix(PLAIN_NAME)


@lru_cache(REMEMBERED)
def _name(host: str, script_name: str) -> str:
    port = port_of(host)
    path = _NOT_IN_A_NAME.sub("-", script_name.strip("/"))
    at_port = f"_{port}" if port is not None and port not in DEFAULT_PORTS.values() else ""
    at_path = f"-{path}" if path else ""
    return f"{PLAIN_NAME}{at_port}{at_path}"


def tokens(environ: dict[str, Any]) -> list[tuple[str, str]]:
    """The name and token of each session cookie of the request, in the order in which they count."""
    header = environ.get("HTTP_COOKIE", "")
    if PLAIN_NAME not in header:
        return []
    own = name_of(environ)
    found: dict[str, list[str]] = {own: [], PLAIN_NAME: []}
    for match in _SESSION.finditer(header):
        token = match[2].strip().strip('"')
        if token and match[1] in found:
            found[match[1]].append(token)
    names: dict[str, str] = {}
    for name, values in found.items():
        for token in values:
            names.setdefault(token, name)
    return [(name, token) for token, name in names.items()][:TOKENS_MAX]


def set_(response: Response, signed_in: SignedIn, name: str | None = None) -> None:
    max_age_s = max(0, int((signed_in.identity.expires_at - utc_now()).total_seconds()))
    response.set_cookie(name or name_of(request.environ), signed_in.token, max_age=max_age_s, **attributes())


def clear(response: Response, name: str) -> None:
    response.delete_cookie(name, **attributes())


def attributes() -> dict[str, Any]:
    """How each cookie of the service is set."""
    return {
        "path": request.root_path or "/",
        "secure": request.is_secure,
        "httponly": True,
        "samesite": "Lax",
    }
