"""`Form`: what a form sent, and the token by which it is known to be one of ours."""

import secrets
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

from flask import Response
from flask import request
from itsdangerous import Signer

from chatapp.errors import BadRequest
from chatapp.errors import Forbidden
from chatapp.errors import LengthRequired
from chatapp.errors import TooLarge
from chatapp.errors import UnsupportedMediaType
from chatapp.people import Identity
from chatapp.web import session_cookie
from chatapp.web.auth import media_type
from chatapp.web.current import services
from chatapp.web.deadline import REQUEST_MAX_BYTES

FORM_TYPE = "application/x-www-form-urlencoded"
FIELDS_MAX = 20
# Of the cookie that stands for a visitor who is not signed in yet.
VISITOR_COOKIE = "chatapp_visitor"
VISITOR_LENGTH = 32


class ForeignForm(Forbidden):
    """A form that was not given to this session: forged, or from a time when somebody else was signed in."""


class Form:
    """The fields of a form that was posted."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values

    @classmethod
    def posted(cls, environ: dict[str, Any]) -> "Form":
        """Raises LengthRequired, TooLarge, UnsupportedMediaType, BadRequest."""
        length = environ.get("CONTENT_LENGTH") or ""
        if "HTTP_TRANSFER_ENCODING" in environ or not (length.isascii() and length.isdigit()):
            raise LengthRequired
        if int(length) > REQUEST_MAX_BYTES:
            raise TooLarge(f"At most {REQUEST_MAX_BYTES // 1024} KiB.")
        if media_type(environ) != FORM_TYPE:
            raise UnsupportedMediaType(f"A form is sent as {FORM_TYPE}.")
        return cls(_fields(environ["wsgi.input"].read(int(length))))

    def text(self, name: str) -> str:
        """A field, or "" without it."""
        return self._values.get(name, "")

    def has(self, name: str) -> bool:
        return name in self._values

    def of_session(self, who: Identity) -> None:
        """Raises ForeignForm unless the form was given to this session."""
        self._made_for(_session(who))

    def of_visitor(self) -> None:
        """Raises ForeignForm unless it was given to this browser, before anybody was signed in.

        Without it, another site could sign a browser in as its own guest, and read what is written then. What says so
        where the browser names the asking site is `auth.check_asker`; some old ones do not, and for those there is this
        token, which belongs to a cookie that only this site could set.
        """
        visitor = visitor_id()
        if visitor is None:
            raise ForeignForm("Your browser sent no cookie.")
        self._made_for(_visitor(visitor))

    def _made_for(self, key: str) -> None:
        if not _signer().verify_signature(key, self.text("csrf").encode("utf-8", "replace")):
            raise ForeignForm


def token_of(who: Identity) -> str:
    """What the forms of this session carry."""
    return _signature(_session(who))


def give_visitor_token(response: Response, visitor: str) -> None:
    """Let the browser keep what the sign-in form is compared with."""
    response.set_cookie(session_cookie.name_beside(VISITOR_COOKIE), visitor, **session_cookie.attributes())


def visitor_token(visitor: str) -> str:
    """What the sign-in form carries."""
    return _signature(_visitor(visitor))


def visitor_id() -> str | None:
    """What this browser was given before it signed in."""
    value = request.cookies.get(session_cookie.name_beside(VISITOR_COOKIE), "")
    return value if len(value) == VISITOR_LENGTH and value.isalnum() else None


def new_visitor_id() -> str:
    return secrets.token_hex(VISITOR_LENGTH // 2)


def _fields(raw: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            raw.decode("utf-8"), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=FIELDS_MAX
        )
    except ValueError:
        raise BadRequest("The form cannot be read.") from None
    # The first of several: a button behind the others adds what it means.
    return dict(reversed(pairs))


def _signer() -> Signer:
    key = services().config.secret_key
    return Signer(key, salt="chatapp.web.lite.forms", key_derivation="hmac", digest_method=sha256)


def _signature(key: str) -> str:
    return _signer().get_signature(key).decode()


def _session(who: Identity) -> str:
    return f"session:{who.session_id}"


def _visitor(visitor: str) -> str:
    return f"visitor:{visitor}"
