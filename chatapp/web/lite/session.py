"""Signing in and out by forms."""

from functools import partial

from flask import Response
from flask import g
from flask import request

from chatapp.errors import ChatError
from chatapp.errors import Unauthenticated
from chatapp.people import Identity
from chatapp.web import auth
from chatapp.web import entrance
from chatapp.web import session_cookie
from chatapp.web.api.session import SIGN_IN
from chatapp.web.current import services
from chatapp.web.deadline import in_time
from chatapp.web.lite import forms
from chatapp.web.lite import visitor
from chatapp.web.lite import words
from chatapp.web.lite.draft import Draft
from chatapp.web.lite.forms import Form
from chatapp.web.lite.page import blueprint
from chatapp.web.lite.page import go_to
from chatapp.web.lite.page import page
from chatapp.web.lite.rooms import rooms_page
from chatapp.web.lite.rooms import with_draft
from chatapp.wire import schemas


@blueprint.get("", endpoint="rooms")
@in_time
def rooms_or_door() -> Response:
    """The list of rooms, or the door to them; `room` is the one that was asked for at a closed door."""
    room = _room_name(request.args.get("room", ""))
    try:
        visitor.signed_in()
    except Unauthenticated:
        return sign_in_page(room=room)
    return go_to("room", room=room) if room else rooms_page()


@blueprint.post("", endpoint="sign_in")
@in_time
def sign_in() -> Response:
    """Whoever is signed in already stays who they are: the button may be pressed twice."""
    form = Form.posted(request.environ)
    room = _room_name(form.text("room"))
    draft = Draft.of(room, form) if room and form.text("body") else None
    g.refused = partial(sign_in_page, room=room, draft=draft, name=form.text("name"))
    auth.check_asker(services(), request.environ)
    try:
        return _onward(visitor.signed_in().identity, room, draft)
    except Unauthenticated:
        form.of_visitor()
    name = schemas.load(SIGN_IN, {"name": form.text("name")})["name"]
    signed_in, _ = entrance.guest(name, auth.presented_tokens(request.environ))
    response = _onward(signed_in.identity, room, draft)
    session_cookie.set_(response, signed_in)
    return response


# No room's name has an underscore.
@blueprint.post("/sign_out")
@in_time
def sign_out() -> Response:
    who = visitor.sender(Form.posted(request.environ))
    return entrance.sign_out(who, go_to("rooms"))


def sign_in_page(
    error: ChatError | None = None, *, room: str = "", draft: Draft | None = None, name: str = ""
) -> Response:
    """The form to sign in, with the text of a message that was not sent because nobody was signed in any more."""
    visitor_id = forms.visitor_id() or forms.new_visitor_id()
    response = page(
        "sign_in",
        error,
        said=None if error is None else words.of_name(error),
        guests=services().config.guests,
        csrf=forms.visitor_token(visitor_id),
        room=draft.room if draft else room,
        draft=draft,
        name=name,
    )
    forms.give_visitor_token(response, visitor_id)
    return response


def _onward(who: Identity, room: str, draft: Draft | None) -> Response:
    if draft is not None:
        return with_draft(who, draft)
    return go_to("room", room=room) if room else go_to("rooms")


def _room_name(given: str) -> str:
    return given if schemas.ROOM_NAME.fullmatch(given) else ""
