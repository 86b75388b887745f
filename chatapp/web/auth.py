"""Who asks: the session of a request, and whether a browser may carry its cookie here."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from chatapp import origin as origins
from chatapp.errors import BadOrigin
from chatapp.errors import Unauthenticated
from chatapp.people import Identity
from chatapp.people import SignedIn
from chatapp.services import Services
from chatapp.web import session_cookie

EXPECTED_USER = "HTTP_CHAT_USER"
# Twice what one field may have: more is nothing that a proxy adds.
HEADER_MAX = 16 * 1024
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

# The scheme as a whole word, whatever stands behind it: a malformed one is meant for us too.
_BEARER = re.compile(r"\s*bearer(?![\w!#$%&'*+.^`|~-])(.*)", re.ASCII | re.IGNORECASE)


def identify(parts: Services, environ: dict[str, Any]) -> Identity:
    """The identity of a request. Raises Unauthenticated, BadOrigin."""
    return signed_in(parts, environ).identity


def check_origin(parts: Services, environ: dict[str, Any]) -> None:
    """A cookie travels with every request a browser makes, whoever asked for it. Raises BadOrigin.

    Changing something takes JSON, which no foreign form can send, and an Origin that is known if one is
    given. Reading is refused to what the browser itself calls another site, or a sibling of this one.
    """
    check_asker(parts, environ)
    if environ["REQUEST_METHOD"] not in SAFE_METHODS and media_type(environ) != "application/json":
        raise BadOrigin("With the cookie, Content-Type must be application/json.")


def check_asker(parts: Services, environ: dict[str, Any]) -> None:
    """As far as the browser says whose page asked: it must be one of ours. Raises BadOrigin."""
    origin = environ.get("HTTP_ORIGIN")
    if origin is not None:
        if not _known(parts, environ, origin):
            raise BadOrigin
    elif environ.get("HTTP_SEC_FETCH_SITE", "none") in ("cross-site", "same-site"):
        raise BadOrigin


def signed_in(
    parts: Services,
    environ: dict[str, Any],
    check: Callable[[Services, dict[str, Any]], None] = check_origin,
) -> SignedIn:
    """The session of a request, with the token that opened it. Raises Unauthenticated, BadOrigin.

    `check` says whether a browser may carry its cookie here. Forms, which are no JSON, have a check of their own.
    """
    token = _bearer(environ)
    if token is not None:
        found = SignedIn(parts.sessions.identify(token), token)
    else:
        tokens = [token for _, token in session_cookie.tokens(environ)]
        if not tokens:
            raise Unauthenticated
        check(parts, environ)
        found = _first_live(parts, tokens)
    # A browser's cookie can change hands under an open page, whose messages must not go out as another's.
    expected = environ.get(EXPECTED_USER)
    if expected is not None and unquote(expected) != found.identity.id:
        raise Unauthenticated("This is another user's session by now.")
    return found


def presented_tokens(environ: dict[str, Any]) -> list[str]:
    """The tokens that came with the request, whether they still open anything or not. Raises Unauthenticated."""
    token = _bearer(environ)
    return [token for _, token in session_cookie.tokens(environ)] if token is None else [token]


def live_cookies(parts: Services, environ: dict[str, Any]) -> set[str]:
    """The names of the request's cookies that hold a session of this service."""
    return {name for name, token in session_cookie.tokens(environ) if _found(parts, token) is not None}


def _bearer(environ: dict[str, Any]) -> str | None:
    """The token in the header, or None without one. Raises Unauthenticated.

    Other schemes are for a proxy in front: browsers send its Basic with every request, and it passes them on.
    """
    header: str | None = environ.get("HTTP_AUTHORIZATION")
    if header is None:
        return None
    if header.startswith("Bearer ") and "," not in header and (token := header[7:].strip()):
        return token
    if len(header) > HEADER_MAX:
        raise Unauthenticated("Use Authorization: Bearer <token>.")
    # Repeated fields come as one, with commas, which no token has.
    found = [match[1] for match in map(_BEARER.fullmatch, header.split(",")) if match]
    if not found:
        return None
    token = found[0]
    if len(found) > 1 or not token.strip() or not token[0].isspace():
        raise Unauthenticated("Use Authorization: Bearer <token>.")
    return token.strip()


def _first_live(parts: Services, tokens: list[str]) -> SignedIn:
    """Of several cookies, as of several paths, the first that is a session. Raises what is wrong with the first."""
    if len(tokens) > 1:
        for token in tokens:
            found = _found(parts, token)
            if found is not None:
                return found
    return SignedIn(parts.sessions.identify(tokens[0]), tokens[0])


def _found(parts: Services, token: str) -> SignedIn | None:
    try:
        return SignedIn(parts.sessions.identify(token), token)
    except Unauthenticated:
        return None


def media_type(environ: dict[str, Any]) -> str:
    """The type of the body, without parameters, in lower case."""
    return str(environ.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower()


def _known(parts: Services, environ: dict[str, Any], origin: str) -> bool:
    asking = origins.canonical(origin)
    if asking is None:
        return False
    # A Host may end in a colon without a port.
    here = origins.at(environ["wsgi.url_scheme"], environ.get("HTTP_HOST", "").removesuffix(":"))
    return asking == here or asking in parts.config.origins


def check_origin_of_sign_in(parts: Services, environ: dict[str, Any]) -> None:
    """No other site may sign a browser in here, cookie or not. Raises BadOrigin."""
    origin = environ.get("HTTP_ORIGIN")
    if origin is not None and not _known(parts, environ, origin):
        raise BadOrigin
