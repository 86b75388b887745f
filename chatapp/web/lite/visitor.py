"""Who looks at a page, or sends a form."""

from typing import Any

from flask import g
from flask import request

from chatapp.people import Identity
from chatapp.people import SignedIn
from chatapp.services import Services
from chatapp.web import auth
from chatapp.web.current import services
from chatapp.web.lite.forms import Form


def reader(units: float = 1.0) -> Identity:
    """Who looks, at something that costs so much of their rate. Raises Unauthenticated, BadOrigin, RateLimited."""
    who = signed_in().identity
    services().read_rate.charge(who.id, units)
    return who


def sender(form: Form) -> Identity:
    """Who sends this form of theirs. Raises Unauthenticated, BadOrigin, ForeignForm, RateLimited."""
    who = reader()
    form.of_session(who)
    return who


def signed_in() -> SignedIn:
    """The session, with its token. Raises Unauthenticated, BadOrigin."""
    if "signed_in" not in g:
        g.signed_in = auth.signed_in(services(), request.environ, check=_check)
    found: SignedIn = g.signed_in
    return found


def known() -> Identity | None:
    """Who asked, if that was found out before something else went wrong."""
    found: SignedIn | None = g.get("signed_in")
    return None if found is None else found.identity


def _check(parts: Services, environ: dict[str, Any]) -> None:
    """A link on another site may lead to a page, which that site cannot see. Nothing of another site may show one
    within its own, or send a form. Raises BadOrigin."""
    whole_page = environ.get("HTTP_SEC_FETCH_DEST") == "document"
    if not (whole_page and environ["REQUEST_METHOD"] in auth.SAFE_METHODS):
        auth.check_asker(parts, environ)
