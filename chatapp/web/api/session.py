"""`/session`: sign in, who am I, sign out."""

from typing import Any

from flask import Blueprint
from flask import Response
from flask import make_response
from flask import request

from chatapp.errors import BadOrigin
from chatapp.errors import Forbidden
from chatapp.errors import RateLimited
from chatapp.errors import Unauthenticated
from chatapp.people import SignedIn
from chatapp.people import looks_like_host_token
from chatapp.runtime import timestamp
from chatapp.sending import SESSIONS
from chatapp.web import auth
from chatapp.web import current
from chatapp.web import entrance
from chatapp.web import session_cookie
from chatapp.web.answers import Answer
from chatapp.web.api.inputs import raw_document
from chatapp.web.current import services
from chatapp.web.documents.call import Call
from chatapp.web.documents.call import Given
from chatapp.web.documents.call import described
from chatapp.wire import answers
from chatapp.wire import documents
from chatapp.wire import schemas

blueprint = Blueprint("session", __name__, url_prefix="/session")

SIGN_IN = schemas.SignInSchema()
USER = documents.UserSchema()
SIGNED_IN = Given(answers.SignedInSchema, ("Set-Cookie",))


@blueprint.post("")
@described(
    Call(
        "signIn",
        {201: SIGNED_IN, 200: SIGNED_IN},
        takes=(schemas.SignInSchema,),
        raises=(Forbidden, BadOrigin, Unauthenticated, RateLimited),
        session=False,
        example={"name": "Ada"},
    )
)
def sign_in() -> Response:
    """Sign in as a guest, or with a host's token.

    201 is a new guest, 200 the one who comes back with the token of a session that has ended. With a host's token in
    `Authorization` the body may be `{}`; then 201 is the host's user.
    """
    auth.check_origin_of_sign_in(services(), request.environ)
    document = raw_document(request.environ)
    tokens = auth.presented_tokens(request.environ)
    if document == {} and any(looks_like_host_token(token) for token in tokens):
        who = current.reader()
        services().admission.charge(SESSIONS, who.id)
        return _signed_in(services().sessions.for_host_token(who), 201)
    name = schemas.load(SIGN_IN, document)["name"]
    signed_in, new = entrance.guest(name, tokens)
    return _signed_in(signed_in, 201 if new else 200)


@blueprint.get("")
@described(Call("getSession", {200: Given(answers.SessionSchema)}))
def who_am_i() -> Response:
    """Who am I, and until when.

    Renews a guest in the second half of its time.
    """
    before = auth.signed_in(services(), request.environ)
    services().read_rate.charge(before.identity.id)
    identity = services().sessions.renew(before.identity)
    response = Answer.json(_session(identity)).response()
    if identity.expires_at != before.identity.expires_at:
        session_cookie.set_(response, SignedIn(identity, before.token))
    return response


@blueprint.delete("")
@described(Call("signOut", {204: Given(fields=("Set-Cookie",))}))
def sign_out() -> Response:
    """Sign out.

    Streams and polls of this session end. A guest leaves every room by it.
    """
    return entrance.sign_out(current.identity(), make_response("", 204))


def _session(identity: Any) -> dict[str, Any]:
    return {"user": USER.dump(identity), "expiresAt": timestamp(identity.expires_at)}


def _signed_in(signed_in: SignedIn, status: int) -> Response:
    response = Answer.json({**_session(signed_in.identity), "token": signed_in.token}, status).response()
    session_cookie.set_(response, signed_in)
    return response
