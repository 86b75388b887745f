"""The cookie of a session: what it is called here, which ones a request brings, how it is set and cleared."""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
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
# A header of 700 KB has place for forty thousand.
LOOKED_AT_MAX = 1_000
# It begins with letters, so that all else is passed over quickly, and matches whatever follows them: what was looked at
# once is not looked at again. A token holds none of what may stand between cookies.
_SESSION = re.compile(rf"({PLAIN_NAME}[^=;, \t]*)(?:[ \t]*=([^;,]*))?")
# By the standard `;` stands between cookies; servers and proxies that make one line of several put a `,` there.
BETWEEN = (";", ",")
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
    for name, value in islice(_cookies(header), LOOKED_AT_MAX):
        token = value.strip().strip('"')
        if token and name in found:
            found[name].append(token)
    names: dict[str, str] = {}
    for name, values in found.items():
        for token in values:
            names.setdefault(token, name)
    return [(name, token) for token, name in names.items()][:TOKENS_MAX]


def _cookies(header: str) -> Iterator[tuple[str, str]]:
    """Those that may be a session's. What stands in another's name or value is none."""
    end = 0
    for match in _SESSION.finditer(header):
        before = header[end : match.start()].rstrip(" \t")
        if match[2] is not None and (before.endswith(BETWEEN) or not (before or end)):
            yield match[1], match[2]
        end = match.end()


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
