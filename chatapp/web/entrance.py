"""The ways into a session and out of it, the same for programs and for forms: no door has other limits."""

from flask import Response
from flask import request

from chatapp.errors import Forbidden
from chatapp.people import Identity
from chatapp.people import SignedIn
from chatapp.web import auth
from chatapp.web import client_address
from chatapp.web import session_cookie
from chatapp.web.current import services


def guest(name: str, tokens: list[str]) -> tuple[SignedIn, bool]:
    """The guest who comes back with one of these tokens, or a new one, and whether it is new.

    Raises Forbidden where there are no guests, and RateLimited by the address.
    """
    parts = services()
    if not parts.config.guests:
        raise Forbidden("Guests cannot sign in here.")
    for token in tokens:
        returning = parts.sessions.returning_guest(token)
        if returning is not None:
            return returning, False
    parts.admission.charge(parts.guest_rate, client_address.canonical(request.remote_addr or ""))
    return parts.sessions.new_guest(name), True


def sign_out(identity: Identity, response: Response) -> Response:
    """End the session, with all that it holds open, and take its cookies back."""
    # One that stayed behind would sign the browser in again as whoever it was before.
    cleared = {session_cookie.name_of(request.environ)} | auth.live_cookies(services(), request.environ)
    services().sessions.sign_out(identity)
    services().end_session(identity.session_id)
    for name in sorted(cleared):
        session_cookie.clear(response, name)
    return response
