"""`/events`: the stream, the long poll, and acks."""

import time
from functools import lru_cache
from functools import partial
from typing import Any

from flask import Blueprint
from flask import Response
from flask import make_response
from flask import request

from chatapp import metrics
from chatapp.errors import ChatError
from chatapp.errors import InvalidCursor
from chatapp.errors import InvalidParameter
from chatapp.errors import NotFound
from chatapp.errors import RateLimited
from chatapp.errors import TooManyConnections
from chatapp.errors import Unavailable
from chatapp.receiving import POLL_UNITS
from chatapp.receiving import Pieces
from chatapp.receiving import Stream
from chatapp.receiving import Wanted
from chatapp.receiving import closing
from chatapp.receiving import poll_document
from chatapp.receiving import wait_for_events
from chatapp.runtime import utc_now
from chatapp.services import Services
from chatapp.web import auth
from chatapp.web import current
from chatapp.web.answers import NOT_KEPT
from chatapp.web.answers import Answer
from chatapp.web.api.inputs import Query
from chatapp.web.api.inputs import document
from chatapp.web.api.inputs import parse_cursor
from chatapp.web.api.inputs import query_parameters
from chatapp.web.current import services
from chatapp.web.documents import parameter
from chatapp.web.documents.call import Call
from chatapp.web.documents.call import Given
from chatapp.web.documents.call import described
from chatapp.web.handover import CONNECTION
from chatapp.web.requests import STREAM_OPENED
from chatapp.web.requests import known_as
from chatapp.wire import Event
from chatapp.wire import answers
from chatapp.wire import event_documents
from chatapp.wire import schemas
from chatapp.wire import sse

blueprint = Blueprint("events", __name__, url_prefix="/events")

ACK = schemas.AckSchema()

WAIT_DEFAULT_S = 25
WAIT_MAX_S = 55
LIMIT_DEFAULT = 200
LIMIT_MAX = 1000
# An answer ends with the event that reaches this size: a thousand long messages have sixteen times as much.
POLL_MAX_BYTES = 1024 * 1024
# Signals wait this long for news of the log, or for more of them.
SIGNALS_COMPANY_S = 1.0
ROOMS_MAX = 1000
# So many lists of few rooms are kept for all who ask for the same: a megabyte at most.
SHARED_MAX = 500
SHARED_MAX_ROOMS, SHARED_MAX_CHARS = 8, 200
# Of the rate of reading: rooms by name are looked up one by one.
NAMES_PER_UNIT = 20

STREAM_PARAMETERS = {
    "since": parameter.cursor("Where to go on from; now, without it."),
    "rooms": parameter.text("The names of rooms, with commas between; by default all that one belongs to."),
}
POLL_PARAMETERS = {
    **STREAM_PARAMETERS,
    "wait": parameter.number(0, WAIT_MAX_S, WAIT_DEFAULT_S, "How many seconds to wait where there is nothing."),
    "limit": parameter.number(1, LIMIT_MAX, LIMIT_DEFAULT, "How many events at most."),
}
ALL_ROOMS = Wanted()

STREAM_HEADERS = (
    ("Content-Type", sse.CONTENT_TYPE),
    # Proxies that gather or compress a stream hold it back.
    ("Cache-Control", "no-cache, no-transform"),
    ("X-Accel-Buffering", "no"),
)
POLL_HEADERS = (("Content-Type", "application/json"), NOT_KEPT)


@blueprint.get("/stream")
@query_parameters(**STREAM_PARAMETERS)
@described(
    Call(
        "stream",
        {200: Given(event_documents.FrameSchema, media_type="text/event-stream")},
        raises=(InvalidCursor, NotFound),
    )
)
def stream_by_flask() -> Response:
    """The events as they come, as Server-Sent Events, for about a minute.

    Each has `id: <cursor>`, `event: <type>` and `data: <one line of JSON>`; the AsyncAPI document has their shapes. It
    ends with `closing`: come back with the last id, as `since` or as browsers do it, in the header `Last-Event-ID`,
    which wins. Where coming back later makes sense, it says so by 200 with one `closing`.
    """
    return stream(services(), request.environ).response()


@blueprint.get("/poll")
@query_parameters(**POLL_PARAMETERS)
@described(Call("poll", {200: Given(answers.PollSchema)}, raises=(InvalidCursor, NotFound, TooManyConnections)))
def poll_by_flask() -> Response:
    """The events behind a cursor, once there are any or the time is over.

    Without `since` it answers at once with the current cursor.
    """
    return poll(services(), request.environ).response()


def stream(parts: Services, environ: dict[str, Any]) -> Answer:
    """Open a stream: for the detached carrier in the environ, or as the body of the answer."""
    query = Query(environ)
    query.refuse_unknown(STREAM_PARAMETERS)
    try:
        return _open(parts, environ, query)
    except (TooManyConnections, RateLimited) as refused:
        return _closed_at_once(refused, "too_many_connections")
    except Unavailable as refused:
        # A native EventSource never returns from a 503.
        return _closed_at_once(refused, "unavailable")


def _closed_at_once(refused: ChatError, reason: str) -> Answer:
    metrics.refusals.labels(refused.code).inc()
    return Answer(200, [closing(reason)], STREAM_HEADERS)


def _open(parts: Services, environ: dict[str, Any], query: Query) -> Answer:
    who = auth.identify(parts, environ)
    parts.read_rate.charge(who.id, POLL_UNITS)
    # Repeated fields come as one, with commas: the last one is the newest.
    returning = environ.get("HTTP_LAST_EVENT_ID", "").rpartition(",")[2].strip()
    since = parse_cursor(returning) if returning else query.cursor("since")
    wanted = _wanted(query, lenient=bool(returning))
    if environ["REQUEST_METHOD"] == "HEAD":
        return Answer(200, (), STREAM_HEADERS)
    life_s, heartbeat_s = parts.config.stream_seconds, parts.config.heartbeat_seconds
    if parts.config.carrier == "detached" and parts.detached.takes(environ):
        connection = parts.detached.connection(who, known_as(environ))
        reader = parts.feed.open(connection, who, wanted, since)
        connection.stream = Stream(reader, who, life_s=life_s, heartbeat_s=heartbeat_s)
        environ[CONNECTION] = connection
        environ[STREAM_OPENED] = True
        return Answer(200, (), STREAM_HEADERS)
    waiter = parts.feed.waiter(who, metrics.STREAM)
    reader = parts.feed.open(waiter, who, wanted, since)
    parts.signals.stream_begins(waiter)
    pieces = Pieces(Stream(reader, who, life_s=life_s, heartbeat_s=heartbeat_s), waiter, known_as(environ))
    pieces.held.callback(parts.feed.close, waiter)
    try:
        pieces.held.callback(parts.sockets.unwatch, parts.sockets.watch(environ, waiter))
    except BaseException:
        pieces.close()
        raise
    environ[STREAM_OPENED] = True
    return Answer(200, pieces, STREAM_HEADERS)


def poll(parts: Services, environ: dict[str, Any]) -> Answer:
    """The events behind a cursor, once there are any or the time is over."""
    query = Query(environ)
    query.refuse_unknown(POLL_PARAMETERS)
    who = auth.identify(parts, environ)
    since, wanted = query.cursor("since"), _wanted(query)
    wait_s = query.number("wait", WAIT_DEFAULT_S, 0, WAIT_MAX_S)
    limit = query.number("limit", LIMIT_DEFAULT, 1, LIMIT_MAX)
    parts.read_rate.charge(who.id, POLL_UNITS + len(wanted.names or ()) / NAMES_PER_UNIT)
    # What it may cost, until it is known what it does.
    parts.read_rate.add_events(who.id, limit)
    ends_s = time.monotonic() + (who.ends_at - utc_now()).total_seconds()
    waiter = parts.feed.waiter(who, metrics.POLL)
    reader = parts.feed.open(waiter, who, wanted, since)
    # Until the answer is out: one that nobody reads takes memory.
    place = partial(parts.feed.close, waiter)
    watched = -1
    told, size = 0, 0
    parts.poll_sessions.begins(who.session_id, known_as(environ))
    try:
        events: list[Event] = []
        if since is not None and not reader.reset:
            watched = parts.sockets.watch(environ, waiter)
            parts.signals.poll_begins(waiter)
            events = wait_for_events(reader, waiter, limit, POLL_MAX_BYTES, wait_s, ends_s, company_s=SIGNALS_COMPANY_S)
        parts.read_rate.add_events(who.id, len(events) - limit)
        # Behind what was not read yet, its user may have left a room.
        over = waiter.closing or time.monotonic() >= ends_s
        signals = () if reader.behind or over else waiter.take_signals()
        parts.signals.poll_ends(waiter)
        document_ = poll_document(events, signals, reader)
        told, size = len(events) + len(signals), len(document_)
        metrics.delivered_by_poll.inc(told)
        return Answer(200, document_, POLL_HEADERS, after=place)
    except BaseException:
        place()
        raise
    finally:
        parts.sockets.unwatch(watched)
        parts.poll_sessions.ends(who.session_id, told, size, waiter.closing)


@blueprint.post("/ack")
@described(
    Call(
        "acknowledge",
        {204: Given()},
        takes=(schemas.AckSchema,),
        raises=(InvalidCursor, NotFound),
        example={"cursor": "1763781234567-0"},
    )
)
def ack() -> Response:
    """Confirm all up to a cursor, in some rooms or all: others' messages become delivered."""
    who = current.reader()
    body = document(ACK)
    services().read_rate.add(who.id, len(body["rooms"] or ()) / NAMES_PER_UNIT)
    cursor = parse_cursor(body["cursor"])
    mine = services().known_rooms.memberships(who, cursor)
    rooms = None
    if body["rooms"] is not None:
        wanted = frozenset(body["rooms"])
        rooms = services().known_rooms.among(who, wanted, mine)
        if len(rooms) < len(wanted):
            raise NotFound
    services().receipts.ack(who.id, mine.joinings(rooms), cursor)
    return make_response("", 204)


def _wanted(query: Query, *, lenient: bool = False) -> Wanted:
    names = query.text("rooms")
    if names is None:
        return ALL_ROOMS
    few = len(names) <= SHARED_MAX_CHARS and names.count(",") < SHARED_MAX_ROOMS
    return _shared(names, lenient) if few else _named(names, lenient)


def _named(names: str, lenient: bool) -> Wanted:
    wanted = frozenset(names.split(","))
    if len(wanted) > ROOMS_MAX:
        raise InvalidParameter(f"rooms: at most {ROOMS_MAX}.")
    return Wanted(wanted, lenient)


# Thousands of connections ask for the same few rooms, and each keeps what it asked for.
_shared = lru_cache(SHARED_MAX)(_named)
