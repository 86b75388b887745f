"""`/durable`: rooms, and messages that grow, as clients of Durable Streams read them. Writing goes by `/messages`."""

from contextlib import ExitStack
from functools import partial

from flask import Blueprint
from flask import Response
from flask import request

from chatapp.errors import InvalidCursor
from chatapp.errors import NotFound
from chatapp.errors import TooManyConnections
from chatapp.eventlog import Waiter
from chatapp.people import Identity
from chatapp.people import access
from chatapp.receiving import DurableRoom
from chatapp.receiving import DurableText
from chatapp.receiving import GrowingText
from chatapp.receiving import Reader
from chatapp.receiving import grows
from chatapp.receiving import history
from chatapp.receiving import items
from chatapp.receiving import items_document
from chatapp.receiving import no_signals
from chatapp.receiving import wait_for_events
from chatapp.services import Services
from chatapp.storage import Message
from chatapp.web import current
from chatapp.web.api import durable_answers
from chatapp.web.api.durable_answers import Asked
from chatapp.web.api.events import LIMIT_MAX
from chatapp.web.api.events import POLL_MAX_BYTES
from chatapp.web.api.inputs import query_parameters
from chatapp.web.current import services
from chatapp.web.documents import parameter
from chatapp.web.documents.call import Call
from chatapp.web.documents.call import Given
from chatapp.web.documents.call import described
from chatapp.web.documents.parameter import IF_NONE_MATCH
from chatapp.wire import Cursor
from chatapp.wire import Event
from chatapp.wire import durable
from chatapp.wire import event_documents

blueprint = Blueprint("durable", __name__, url_prefix="/durable")

JSON, TEXT = "application/json", "text/plain; charset=utf-8"

ROOM_OFFSET = parameter.text(durable_answers.OFFSET, pattern=durable.ROOM_OFFSET_PATTERN)
TEXT_OFFSET = parameter.text(durable_answers.OFFSET, pattern=durable.TEXT_OFFSET_PATTERN)
PLAIN = {"text/plain": {"type": "string"}}
STREAMED = {
    "text/event-stream": {
        "type": "object",
        "description": "`data` has a part of the stream, `control` says as JSON where it stands behind that.",
        "properties": {"event": {"enum": ["data", "control"]}, "data": {"type": "string"}},
        "required": ["event", "data"],
    }
}
NOTHING_NEW = {
    204: Given(fields=(durable.NEXT_OFFSET, durable.UP_TO_DATE)),
    304: Given(fields=("ETag", durable.NEXT_OFFSET)),
}


@blueprint.get("/<room>")
@query_parameters(offset=ROOM_OFFSET, **durable_answers.PARAMETERS)
@described(
    Call(
        "followRoom",
        {200: Given(each=event_documents.OF_LOG, fields=(durable.NEXT_OFFSET,), others=STREAMED), **NOTHING_NEW},
        raises=(InvalidCursor, TooManyConnections),
        headers={"If-None-Match": IF_NONE_MATCH},
    )
)
def room_stream(room: str) -> Response:
    """A room's events as a durable stream (Durable Streams).

    An array of them, behind `offset`; with `live=sse` the events `data` and `control`. `HEAD` tells the newest offset.
    """
    parts, who, asked = services(), current.reader(), durable_answers.asked()
    if request.method == "HEAD":
        parts.database.read(lambda tx: access.readable(tx, who, room))
        return durable_answers.head(JSON, durable.room_offset(parts.tail.end))
    since = None
    if asked.offset != durable.NOW:
        since = durable_answers.parsed(durable.parse_room_offset, asked.offset, Cursor(0))
    with ExitStack() as held:
        reader, waiter = durable_answers.opened(held, who, room, since, no_signals, asked.live)
        if reader.reset:
            raise InvalidCursor("That offset was never handed out: begin again at -1, or go on from now.")
        if asked.live != durable_answers.SSE:
            return _page(held, reader, waiter, who, asked)
        cursor = durable.cache_cursor(asked.echoed)
        stream = DurableRoom(reader, who, parts.read_rate, cursor, **_times(parts))
        return durable_answers.streamed(held, stream, waiter, durable.room_offset(reader.position), cursor)


@blueprint.get("/messages/<message_id>")
@query_parameters(offset=TEXT_OFFSET, **durable_answers.PARAMETERS)
@described(
    Call(
        "followText",
        {200: Given(fields=(durable.NEXT_OFFSET,), others={**PLAIN, **STREAMED}), **NOTHING_NEW},
        raises=(InvalidCursor, TooManyConnections),
        headers={"If-None-Match": IF_NONE_MATCH},
    )
)
def text_stream(message_id: str) -> Response:
    """A message's text as a durable stream (Durable Streams): it grows, and is closed once it grows no more.

    `Stream-Closed: true` says so. Offsets count code points.
    """
    parts, who, asked = services(), current.reader(), durable_answers.asked()
    load = partial(_message, parts, who, message_id)
    message = load()
    text, closed = message.text, not message.growing
    if request.method == "HEAD":
        return durable_answers.head(TEXT, durable.text_offset(len(text)), closed=closed)
    length = len(text)
    if asked.offset != durable.NOW:
        length = durable_answers.parsed(durable.parse_text_offset, asked.offset, 0)
    if length > len(text) and not closed:
        raise InvalidCursor("That offset lies behind the text.")
    if asked.live is None:
        return _text(asked, length, text, closed=closed)
    with ExitStack() as held:
        # The end of one that grows, and of its room for this user, is told by the log from here on.
        reader, waiter = durable_answers.opened(held, who, message.room.called, None, grows(message.id), asked.live)
        growing = GrowingText(message.id, load, reader, waiter)
        if asked.live == durable_answers.SSE:
            cursor = durable.cache_cursor(asked.echoed)
            stream = DurableText(growing, who, length, cursor, **_times(parts))
            return durable_answers.streamed(held, stream, waiter, durable.text_offset(length), cursor)
        with durable_answers.polling(waiter, who) as told:
            growing.wait(length, asked.wait_s, durable_answers.ends_s(who))
            new = growing.text[length:]
            told.events, told.bytes = int(bool(new)), len(new.encode())
    if growing.lost:
        raise NotFound
    return _text(asked, length, growing.text, closed=growing.closed)


def _message(parts: Services, who: Identity, message_id: str) -> Message:
    """As it is now. Raises NotFound, Unavailable."""
    return parts.database.read(lambda tx: history.message(tx, who, message_id))


def _times(parts: Services) -> dict[str, float]:
    return {"life_s": parts.config.stream_seconds, "heartbeat_s": parts.config.heartbeat_seconds}


def _page(held: ExitStack, reader: Reader, waiter: Waiter, who: Identity, asked: Asked) -> Response:
    """A room's events for one answer, at once or when there are some."""
    rate = services().read_rate
    # What it may cost, until it is known what it does.
    rate.add_events(who.id, LIMIT_MAX)
    with durable_answers.polling(waiter, who) as told:
        events: list[Event] = []
        if asked.live is not None or asked.offset != durable.NOW:
            ends_s = durable_answers.ends_s(who)
            events = wait_for_events(reader, waiter, LIMIT_MAX, POLL_MAX_BYTES, asked.wait_s, ends_s)
        rate.add_events(who.id, len(events) - LIMIT_MAX)
        found = items(events)
        body = items_document(found)
        told.events, told.bytes = len(found), len(body)
    up_to_date = not reader.behind
    response = durable_answers.answer(
        asked,
        body,
        JSON,
        durable.room_offset(reader.position),
        # What came since is behind `now`.
        up_to_date=up_to_date or (asked.live is None and asked.offset == durable.NOW),
        empty=not found and up_to_date,
    )
    # Its place is held until the answer is out: one that nobody reads takes memory.
    response.call_on_close(held.pop_all().close)
    return response


def _text(asked: Asked, length: int, text: str, *, closed: bool) -> Response:
    """What a text has behind so many code points."""
    body = text[length:].encode()
    # Never back: an end with another body may be shorter than what was given.
    offset = durable.text_offset(max(length, len(text)))
    return durable_answers.answer(asked, body, TEXT, offset, up_to_date=True, empty=not body, closed=closed)
