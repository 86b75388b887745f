"""A message is sent by a form: the same form again is the same message."""

from functools import partial

from flask import Response
from flask import g
from flask import request

from chatapp.errors import BadOrigin
from chatapp.errors import ChatError
from chatapp.errors import Unauthenticated
from chatapp.people import Identity
from chatapp.web.api.messages import SEND
from chatapp.web.current import services
from chatapp.web.deadline import in_time
from chatapp.web.lite import text
from chatapp.web.lite import turns
from chatapp.web.lite import visitor
from chatapp.web.lite.draft import Draft
from chatapp.web.lite.errors import simple_page
from chatapp.web.lite.forms import Form
from chatapp.web.lite.page import blueprint
from chatapp.web.lite.page import go_to
from chatapp.web.lite.rooms import enter
from chatapp.web.lite.rooms import with_draft
from chatapp.web.lite.session import sign_in_page
from chatapp.wire import schemas


@blueprint.post("/<room>")
@in_time
def send(room: str) -> Response:
    form = Form.posted(request.environ)
    draft = Draft.of(room, form)
    g.refused = partial(_refused, draft, form.text("csrf"))
    who = visitor.sender(form)
    if form.has("join"):
        enter(who, room)
    _store(who, draft)
    # In the plain page one reads on, in the other one goes on typing.
    there = go_to("plain", "newest", room=room) if draft.plain else go_to("room", "message", room=room)
    return turns.tell(there, turns.new())


def _store(who: Identity, draft: Draft) -> None:
    """Raises what the send was refused for, which costs as much as one that was not."""
    parts = services()
    try:
        document = {"localId": draft.local_id, "body": text.sendable(draft.body)}
        message = schemas.load_send(SEND, document)
        parts.messaging.send(who, draft.room, message["localId"], schemas.content_of(message))
    except ChatError as refused:
        error, _ = parts.messaging.refuse(who, draft.local_id, refused)
        raise error from None


def _refused(draft: Draft, csrf: str, error: ChatError) -> Response:
    """The text and its localId stay in the form, whatever it was: pressing Send again is the same message.

    But not what another site has put there: that is not theirs to write.
    """
    if isinstance(error, BadOrigin):
        return simple_page(error)
    if isinstance(error, Unauthenticated):
        return sign_in_page(error, draft=draft)
    return with_draft(visitor.known(), draft, error, csrf)
