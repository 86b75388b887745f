"""What went wrong, in words for people, with what they can do about it."""

from chatapp.errors import BadOrigin
from chatapp.errors import ChatError
from chatapp.errors import Forbidden
from chatapp.errors import InvalidCursor
from chatapp.errors import InvalidMessage
from chatapp.errors import LocalIdReused
from chatapp.errors import MethodNotAllowed
from chatapp.errors import NotFound
from chatapp.errors import RateLimited
from chatapp.errors import TooLarge
from chatapp.errors import Unauthenticated
from chatapp.errors import Unavailable
from chatapp.web.lite.draft import Draft
from chatapp.web.lite.forms import ForeignForm
from chatapp.web.lite.page import seconds
from chatapp.wire import rules

NO_ROOM = "There is no such room, or it is not one that you can see. Perhaps it was deleted, or you were removed."


def of_page(error: ChatError) -> str:
    """Of a page that cannot be shown, or something that cannot be done."""
    if isinstance(error, BadOrigin):
        return "This was asked for by a page of another site, so nothing was done."
    if isinstance(error, Unauthenticated):
        return "You are not signed in any more."
    if isinstance(error, NotFound):
        return NO_ROOM
    if isinstance(error, RateLimited):
        return f"That was too often in a short time. Try again in {_in_seconds(error)}."
    if isinstance(error, TooLarge):
        return (
            "That is more than can be sent at once. Go back in your browser: your text still stands there. Shorten it."
        )
    if isinstance(error, InvalidCursor):
        return "There is no such place in the room."
    if isinstance(error, MethodNotAllowed):
        return "Nothing is shown at this address by itself."
    if isinstance(error, ForeignForm):
        return "The form was made for another session, so nothing was done. Try again."
    if isinstance(error, Unavailable):
        return "The service cannot answer just now. Try again in a moment."
    return error.detail or error.title


def of_message(error: ChatError, draft: Draft) -> str:
    """Of a message that was not sent, above the form in which it still stands."""
    if isinstance(error, LocalIdReused):
        return "This form was sent before, with another text. Press Send to send this one too."
    if isinstance(error, InvalidMessage):
        return _of_body(error, draft.body)
    if isinstance(error, RateLimited):
        return f"You are sending too fast. Press Send again in {_in_seconds(error)}."
    if isinstance(error, ForeignForm):
        return "The form was made for another session. Look at who you are now, then press Send."
    if isinstance(error, NotFound):
        return NO_ROOM
    if isinstance(error, Forbidden):
        return "You do not belong to this room. Join it to send your message."
    if isinstance(error, Unavailable) or error.status >= 500:
        return "The service did not answer, so perhaps your message was sent. Press Send again: it is not sent twice."
    return of_page(error)


def of_name(error: ChatError) -> str:
    """Of a sign-in that failed."""
    if isinstance(error, ForeignForm):
        return "The form had grown old, or your browser keeps no cookies, which signing in needs. Try again."
    if isinstance(error, InvalidMessage):
        return f"Name: {_first(error, 'name')}"
    if isinstance(error, RateLimited):
        return f"Many people have signed in from your network. Try again in {_in_seconds(error)}."
    return of_page(error)


def _of_body(error: InvalidMessage, body: str) -> str:
    if not body.strip():
        return "Write something first."
    most = rules.BODY_MAX_CODE_POINTS
    if len(body) > most:
        return f"Your message has {len(body):,} characters, and {most:,} go into one. Shorten it, or send it in parts."
    return f"Message: {_first(error, 'body')}"


def _first(error: InvalidMessage, field: str) -> str:
    said = (error.errors or {}).get(field)
    return str(said[0]) if said else error.title


def _in_seconds(error: ChatError) -> str:
    wait_s = seconds(error.retry_after_s or 0)
    return "1 second" if wait_s == 1 else f"{wait_s:,} seconds"
