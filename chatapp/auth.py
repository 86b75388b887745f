"""Who asks: the session of a request, and whether a browser may carry its cookie here."""

from urllib.parse import unquote

from flask import g
from flask import request
from werkzeug.wrappers import Response

from chatapp.access import Identity
from chatapp.errors import BadOrigin
from chatapp.errors import Unauthenticated
from chatapp.event import utc_now
from chatapp.services import services
from chatapp.sessions import SignedIn

COOKIE = "chatapp_session"
EXPECTED_USER = "Chat-User"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def current() -> Identity:
    """The identity of this request. Raises Unauthenticated, BadOrigin."""
    if "identity" not in g:
        token, by_cookie = _token()
        if token is None:
            raise Unauthenticated
        if by_cookie:
            check_origin()
        identified = services().sessions.identify(token)
        # A browser's cookie can change hands under an open page, whose messages must not go out as another's.
        expected = request.headers.get(EXPECTED_USER)
        if expected is not None and unquote(expected) != identified.id:
            raise Unauthenticated("This is another user's session by now.")
        g.identity = identified
    identity: Identity = g.identity
    return identity


def presented_token() -> str | None:
    """The token that came with the request, whether it still opens anything or not."""
    return _token()[0]


def _token() -> tuple[str | None, bool]:
    header = request.headers.get("Authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated("Use Authorization: Bearer <token>.")
        return token.strip(), False
    return request.cookies.get(COOKIE) or None, True


def check_origin() -> None:
    """A cookie travels with every request a browser makes, whoever asked for it. Raises BadOrigin.

    Changing something takes JSON, which no foreign form can send, and an Origin that is known if one is
    given. Reading is refused to what the browser itself calls cross-site.
    """
    origin = request.headers.get("Origin")
    if origin is not None:
        if not _known(origin):
            raise BadOrigin
    elif request.headers.get("Sec-Fetch-Site", "none") in ("cross-site", "same-site"):
        raise BadOrigin
    if request.method not in SAFE_METHODS and request.mimetype != "application/json":
        raise BadOrigin("With the cookie, Content-Type must be application/json.")


def _known(origin: str) -> bool:
    return origin in services().config.origins or origin == f"{request.scheme}://{request.host}"


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


def check_origin_of_sign_in() -> None:
    """No other site may sign a browser in here, cookie or not. Raises BadOrigin."""
    origin = request.headers.get("Origin")
    if origin is not None and not _known(origin):
        raise BadOrigin
