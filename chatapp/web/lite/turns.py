"""Turns: the form of a room is the same one until a browser has heard that it was sent.

An answer can be lost on its way. Whoever then goes back finds their text in the box, put there by the browser, and a
form that was asked for anew. With a localId of its own the same text would be a second message. So the localId follows
from a cookie, and the cookie changes with the answer that says that the message was sent.
"""

import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256

from flask import Response
from flask import request

from chatapp.web import session_cookie

COOKIE = "chatapp_turn"
LENGTH = 32
# Of the localId: as many as a random one has.
BYTES = 16


def local_id(turn: str, room: str) -> str:
    """The localId of the room's form in this turn."""
    return urlsafe_b64encode(sha256(f"{turn}:{room}".encode()).digest()[:BYTES]).rstrip(b"=").decode()


def current() -> str:
    """The turn that the browser is in, or its first one."""
    value = request.cookies.get(session_cookie.name_beside(COOKIE), "")
    return value if len(value) == LENGTH and value.isalnum() else new()


def new() -> str:
    return secrets.token_hex(LENGTH // 2)


def tell(response: Response, turn: str) -> Response:
    """The browser is in this turn from when it gets the answer."""
    response.set_cookie(session_cookie.name_beside(COOKIE), turn, **session_cookie.attributes())
    return response
