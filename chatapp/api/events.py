"""`/events`: the stream, the long poll, and acks."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from contextlib import ExitStack

from flask import Blueprint
from flask import Response
from flask import make_response
from flask import request

from chatapp import auth
from chatapp import portable
from chatapp import sse
from chatapp import stream
from chatapp import wire
from chatapp.api.answers import answer
from chatapp.api.inputs import cursor_parameter
from chatapp.api.inputs import document
from chatapp.api.inputs import number_parameter
from chatapp.api.inputs import parse_cursor
from chatapp.api.inputs import query_parameters
from chatapp.api.inputs import text_parameter
from chatapp.detach import CONNECTION
from chatapp.errors import InvalidParameter
from chatapp.errors import NotFound
from chatapp.errors import TooManyConnections
from chatapp.errors import Unavailable
from chatapp.listener import Waiter
from chatapp.peer import watch_end
from chatapp.reader import Reader
from chatapp.reader import Wanted
from chatapp.schemas import AckSchema
from chatapp.services import services
from chatapp.stream import Stream

blueprint = Blueprint("events", __name__, url_prefix="/events")

ACK = AckSchema()

WAIT_DEFAULT_S = 25
WAIT_MAX_S = 55
LIMIT_DEFAULT = 200
LIMIT_MAX = 1000
ROOMS_MAX = 1000

STREAM_HEADERS = {
    # Proxies that gather or compress a stream hold it back.
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
}


@blueprint.get("/stream")
@query_parameters("since", "rooms")
def open_stream() -> Response:
    try:
        return _open_stream()
    except TooManyConnections:
        return _stream([stream.closing("too_many_connections")])
    except Unavailable:
        # A native EventSource never returns from a 503.
        return _stream([stream.closing("unavailable")])


def _open_stream() -> Response:
    who = auth.current()
    returning = request.headers.get("Last-Event-ID")
    since = parse_cursor(returning) if returning else cursor_parameter("since")
    wanted = _wanted(lenient=bool(returning))
    if request.method == "HEAD":
        return _stream(())
    parts = services()
    life = {"life_s": parts.config.stream_seconds, "heartbeat_s": parts.config.heartbeat_seconds}
    if parts.config.carrier == "detached" and parts.detached.takes(request.environ):
        connection = parts.detached.connection(who)
        connection.stream = Stream(parts.feed.open(connection, who, wanted, since), who, **life)
        request.environ[CONNECTION] = connection
        return _stream(())
    with ExitStack() as held:
        waiter = parts.feed.waiter(who)
        stream_ = Stream(parts.feed.open(waiter, who, wanted, since), who, **life)
        held.callback(parts.feed.close, waiter)
        held.enter_context(_watched(waiter))
        response = _stream(portable.pieces(stream_, waiter))
        response.call_on_close(held.pop_all().close)
    return response


@blueprint.get("/poll")
@query_parameters("since", "rooms", "wait", "limit")
def poll() -> Response:
    who = auth.current()
    since, wanted = cursor_parameter("since"), _wanted()
    wait_s = number_parameter("wait", WAIT_DEFAULT_S, 0, WAIT_MAX_S)
    limit = number_parameter("limit", LIMIT_DEFAULT, 1, LIMIT_MAX)
    feed = services().feed
    waiter = feed.waiter(who)
    reader = feed.open(waiter, who, wanted, since)
    try:
        if since is None or reader.reset:
            return _poll_answer([], reader)
        with _watched(waiter):
            events = reader.next(waiter, limit, wait_s)
        return _poll_answer([event.data for event in events], reader)
    finally:
        feed.close(waiter)


@blueprint.post("/ack")
def ack() -> Response:
    who = auth.current()
    body = document(ACK)
    cursor = parse_cursor(body["cursor"])
    known_rooms = services().known_rooms
    if body["rooms"] is None:
        rooms = known_rooms.memberships(who, cursor)
    else:
        wanted = frozenset(body["rooms"])
        known = known_rooms.among(who, wanted)
        if len(known) < len(wanted):
            raise NotFound
        rooms = tuple(room for room in known if room.member)
    services().receipts.ack(who.id, [room.id for room in rooms], cursor)
    return make_response("", 204)


def _wanted(*, lenient: bool = False) -> Wanted:
    names = text_parameter("rooms")
    if names is None:
        return Wanted()
    wanted = frozenset(names.split(","))
    if len(wanted) > ROOMS_MAX:
        raise InvalidParameter(f"rooms: at most {ROOMS_MAX}.")
    return Wanted(wanted, lenient)


def _watched(waiter: Waiter) -> AbstractContextManager[None]:
    """Over as soon as the peer is gone."""
    return watch_end(request.environ.get("gunicorn.socket"), lambda: waiter.close("gone"))


def _stream(pieces: Iterable[bytes]) -> Response:
    # An iterator has no length: also a stream of one event ends like the others.
    return Response(iter(pieces), headers=STREAM_HEADERS, content_type=sse.CONTENT_TYPE)


def _poll_answer(events: list[bytes], reader: Reader) -> Response:
    document = b'{"events":[%b],"cursor":%b,"more":%b%b}' % (
        b",".join(events),
        wire.dumps(str(reader.position)),
        b"true" if events and reader.behind else b"false",
        b',"reset":true' if reader.reset else b"",
    )
    response = answer(None)
    response.set_data(document)
    return response
