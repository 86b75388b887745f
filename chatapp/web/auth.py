"""Who asks: the session of a request, and whether a browser may carry its cookie here."""

from typing import Any
from urllib.parse import unquote

from flask import request
from werkzeug.http import parse_cookie
from werkzeug.wrappers import Response
from werkzeug.wsgi import get_host

from chatapp.errors import BadOrigin
from chatapp.errors import Unauthenticated
from chatapp.people import Identity
from chatapp.people import SignedIn
from chatapp.runtime import utc_now
from chatapp.services import Services

COOKIE = "chatapp_session"
EXPECTED_USER = "HTTP_CHAT_USER"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def identify(parts: Services, environ: dict[str, Any]) -> Identity:
    """The identity of a request. Raises Unauthenticated, BadOrigin."""
    token, by_cookie = _token(environ)
    if token is None:
        raise Unauthenticated
    if by_cookie:
        check_origin(parts, environ)
    identified = parts.sessions.identify(token)
    # A browser's cookie can change hands under an open page, whose messages must not go out as another's.
    expected = environ.get(EXPECTED_USER)
    if expected is not None and unquote(expected) != identified.id:
        raise Unauthenticated("This is another user's session by now.")
    return identified


def presented_token(environ: dict[str, Any]) -> str | None:
    """The token that came with the request, whether it still opens anything or not."""
    return _token(environ)[0]


def _token(environ: dict[str, Any]) -> tuple[str | None, bool]:
    header = environ.get("HTTP_AUTHORIZATION")
    if header is not None:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated("Use Authorization: Bearer <token>.")
        return token.strip(), False
    return parse_cookie(environ).get(COOKIE) or None, True


def check_origin(parts: Services, environ: dict[str, Any]) -> None:
    """A cookie travels with every request a browser makes, whoever asked for it. Raises BadOrigin.

    Changing something takes JSON, which no foreign form can send, and an Origin that is known if one is
    given. Reading is refused to what the browser itself calls another site, or a sibling of this one.
    """
    origin = environ.get("HTTP_ORIGIN")
    if origin is not None:
        if not _known(parts, environ, origin):
            raise BadOrigin
    elif environ.get("HTTP_SEC_FETCH_SITE", "none") in ("cross-site", "same-site"):
        raise BadOrigin
    if environ["REQUEST_METHOD"] not in SAFE_METHODS and media_type(environ) != "application/json":
        raise BadOrigin("With the cookie, Content-Type must be application/json.")


def media_type(environ: dict[str, Any]) -> str:
    """The type of the body, without parameters, in lower case."""
    return str(environ.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower()


def _known(parts: Services, environ: dict[str, Any], origin: str) -> bool:
    return origin in parts.config.origins or origin == f"{environ['wsgi.url_scheme']}://{get_host(environ)}"


def set_cookie(response: Response, signed_in: SignedIn) -> None:
    max_age_s = max(0, int((signed_in.identity.expires_at - utc_now()).total_seconds()))
    response.set_cookie(
        COOKIE,
        signed_in.token,
        max_age=max_age_s,
        path=request.root_path or "/",
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
    )


def clear_cookie(response: Response) -> None:
    response.delete_cookie(
        COOKIE, path=request.root_path or "/", secure=request.is_secure, httponly=True, samesite="Lax"
    )


def check_origin_of_sign_in(parts: Services, environ: dict[str, Any]) -> None:
    """No other site may sign a browser in here, cookie or not. Raises BadOrigin."""
    origin = environ.get("HTTP_ORIGIN")
    if origin is not None and not _known(parts, environ, origin):
        raise BadOrigin
