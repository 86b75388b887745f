"""The list of rooms, a room's page, and the way in and out of it."""

from collections import Counter
from typing import Any

from flask import Response
from flask import request

from chatapp.errors import ChatError
from chatapp.errors import LocalIdReused
from chatapp.errors import NotFound
from chatapp.errors import Unauthenticated
from chatapp.errors import Unavailable
from chatapp.people import Identity
from chatapp.people import RoomView
from chatapp.people import SignedIn
from chatapp.sending import MOVES
from chatapp.storage import Visibility
from chatapp.web import session_cookie
from chatapp.web.api.inputs import Query
from chatapp.web.api.rooms import ROOMS_PER_PAGE
from chatapp.web.api.rooms import ROOMS_PER_UNIT
from chatapp.web.current import services
from chatapp.web.deadline import in_time
from chatapp.web.lite import forms
from chatapp.web.lite import log
from chatapp.web.lite import turns
from chatapp.web.lite import visitor
from chatapp.web.lite import words
from chatapp.web.lite.draft import Draft
from chatapp.web.lite.forms import Form
from chatapp.web.lite.page import AROUND_A_FRAME
from chatapp.web.lite.page import blueprint
from chatapp.web.lite.page import go_to
from chatapp.web.lite.page import page
from chatapp.wire import schemas


def rooms_page() -> Response:
    """The rooms of whoever is signed in, and the public ones. Raises Unauthenticated, InvalidParameter, Unavailable."""
    who = visitor.reader(1 + ROOMS_PER_PAGE / ROOMS_PER_UNIT)
    rooms, after = services().rooms.list(who, Query(request.environ).text("after"), ROOMS_PER_PAGE)
    services().read_rate.add(who.id, (len(rooms) - ROOMS_PER_PAGE) / ROOMS_PER_UNIT)
    response = page(
        "rooms",
        who=who,
        csrf=forms.token_of(who),
        own=[one for one in rooms if one.member and one.visibility != Visibility.DIRECT],
        direct=[one for one in rooms if one.member and one.visibility == Visibility.DIRECT],
        others=[one for one in rooms if not one.member],
        twice=_repeated([one.title for one in rooms if one.visibility != Visibility.DIRECT]),
        first="after" not in request.args,
        after=after,
    )
    return _renewed(response)


def _repeated(titles: list[str | None]) -> set[str | None]:
    """Those that more than one room has: only its name tells such a room apart."""
    return {title for title, count in Counter(titles).items() if title is not None and count > 1}


def _renewed(response: Response) -> Response:
    """Coming by prolongs a guest's session, as `GET /session` does."""
    before = visitor.signed_in()
    identity = services().sessions.renew(before.identity)
    if identity.expires_at != before.identity.expires_at:
        session_cookie.set_(response, SignedIn(identity, before.token))
    return response


@blueprint.get("/<room>")
@in_time
def room(room: str) -> Response:
    return _room(room, plain=False)


@blueprint.get("/<room>/plain")
@in_time
def plain(room: str) -> Response:
    return _room(room, plain=True)


def _room(name: str, *, plain: bool) -> Response:
    if schemas.ROOM_NAME.fullmatch(name) is None:
        raise NotFound
    try:
        who = visitor.reader()
    except Unauthenticated:
        return go_to("rooms", room=name)
    shown = log.read(who, name) if plain else None
    turn = turns.current()
    response = page(
        "room",
        csp=None if plain else AROUND_A_FRAME,
        room=services().rooms.get(who, name) if shown is None else shown.room,
        log=shown,
        **_around(who, Draft(name, "", turns.local_id(turn, name), plain)),
    )
    return turns.tell(response, turn)


def with_draft(who: Identity | None, draft: Draft, error: ChatError | None = None, csrf: str = "") -> Response:
    """The room's page with a text in the form: why it was not sent, or that it waits to be.

    While it cannot be found out who asks, the form keeps the token that it came with.
    """
    return page(
        "room",
        error,
        csp=AROUND_A_FRAME,
        room=_room_to_show(who, draft.room, error),
        said="Your message is not sent yet." if error is None else words.of_message(error, draft),
        log=None,
        **_around(who, draft.as_another() if isinstance(error, LocalIdReused) else draft, csrf),
    )


def _around(who: Identity | None, draft: Draft, csrf: str = "") -> dict[str, Any]:
    return {"who": who, "csrf": csrf if who is None else forms.token_of(who), "draft": draft}


def _room_to_show(who: Identity | None, name: str, error: ChatError | None) -> RoomView | None:
    """None where it is not there for them, or cannot be asked for now. What is wrong was said already."""
    if who is None or isinstance(error, NotFound | Unavailable):
        return None
    try:
        return services().rooms.get(who, name)
    except ChatError:
        return None


@blueprint.post("/<room>/join")
@in_time
def join(room: str) -> Response:
    who = visitor.sender(Form.posted(request.environ))
    enter(who, room)
    return go_to("room", room=room)


@blueprint.post("/<room>/leave")
@in_time
def leave(room: str) -> Response:
    who = visitor.sender(Form.posted(request.environ))
    services().admission.charge(MOVES, who.id)
    services().rooms.remove(who, room, who.id)
    return go_to("rooms")


def enter(who: Identity, room: str) -> None:
    """Join a public room. Raises NotFound, Forbidden, RateLimited."""
    services().admission.charge(MOVES, who.id)
    services().rooms.add(who, room, who.id)
