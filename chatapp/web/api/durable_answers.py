"""What a request for a durable stream asks, and the forms of its answer: at once, by long poll, or as a stream."""

import re
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import ExitStack
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple
from typing import TypeVar

from flask import Response
from flask import request

from chatapp import metrics
from chatapp.errors import InvalidCursor
from chatapp.errors import InvalidParameter
from chatapp.eventlog import Waiter
from chatapp.people import Identity
from chatapp.receiving import Pieces
from chatapp.receiving import Reader
from chatapp.receiving import Stream
from chatapp.receiving import Wanted
from chatapp.runtime import utc_now
from chatapp.web.answers import NOT_KEPT
from chatapp.web.answers import Answer
from chatapp.web.api.events import STREAM_HEADERS
from chatapp.web.api.events import WAIT_DEFAULT_S
from chatapp.web.api.events import WAIT_MAX_S
from chatapp.web.api.inputs import Query
from chatapp.web.current import services
from chatapp.web.documents import parameter
from chatapp.web.requests import STREAM_OPENED
from chatapp.web.requests import known_as
from chatapp.wire import Cursor
from chatapp.wire import Signal
from chatapp.wire import durable

LONG_POLL, SSE = "long-poll", "sse"
# Browsers may keep it, and ask each time: what was withdrawn is gone, and who was removed is out.
ASKED_AGAIN = ("Cache-Control", "private, no-cache")

T = TypeVar("T")

OFFSET = "Where to go on from: a `Stream-Next-Offset`, `-1` for the beginning, or `now`. With `live` it is needed."
PARAMETERS = {
    "live": parameter.text("Wait for what comes: for one answer, or as Server-Sent Events.", enum=[LONG_POLL, SSE]),
    "cursor": parameter.text("The last `Stream-Cursor`.", pattern=durable.CACHE_CURSOR_PATTERN),
    "timeout": parameter.number(0, WAIT_MAX_S, WAIT_DEFAULT_S, "How many seconds a long poll waits."),
}


class Asked(NamedTuple):
    """`echoed` is the cursor of caches that came back; `wait_s` is 0 for an answer at once."""

    live: str | None
    offset: str
    echoed: int | None
    wait_s: int


@dataclass
class Told:
    """What a poll was answered with."""

    events: int = 0
    bytes: int = 0


def asked() -> Asked:
    """What the query says. Raises InvalidParameter."""
    query = Query(request.environ)
    live, offset, echoed = query.text("live"), query.text("offset"), query.text("cursor")
    if live not in (None, LONG_POLL, SSE):
        raise InvalidParameter(f"live: either {LONG_POLL} or {SSE}.")
    if live is not None and offset is None:
        raise InvalidParameter("offset: with live it has to be there, -1 for the beginning.")
    if echoed is not None and re.fullmatch(durable.CACHE_CURSOR_PATTERN, echoed, re.ASCII) is None:
        raise InvalidParameter("cursor: a Stream-Cursor as it was given.")
    wait_s = query.number("timeout", WAIT_DEFAULT_S, 0, WAIT_MAX_S)
    return Asked(
        live,
        durable.BEGINNING if offset is None else offset,
        None if echoed is None else int(echoed),
        wait_s if live == LONG_POLL else 0,
    )


def parsed(parse: Callable[[str], T], offset: str, beginning: T) -> T:
    """Raises InvalidCursor."""
    try:
        return beginning if offset == durable.BEGINNING else parse(offset)
    except ValueError as error:
        raise InvalidCursor(f"Not an offset of this stream: {error}.") from None


def opened(
    held: ExitStack, who: Identity, room: str, since: Cursor | None, wants: Callable[[Signal], bool], live: str | None
) -> tuple[Reader, Waiter]:
    """A reader of this room from there on, and who waits for it. Raises NotFound, TooManyConnections, Unavailable."""
    feed = services().feed
    waiter = feed.waiter(who, metrics.STREAM if live == SSE else metrics.POLL, wants)
    reader = feed.open(waiter, who, Wanted(frozenset((room,))), since)
    held.callback(feed.close, waiter)
    return reader, waiter


def ends_s(who: Identity) -> float:
    """When the session ends, by the monotonic clock."""
    return time.monotonic() + (who.ends_at - utc_now()).total_seconds()


@contextmanager
def polling(waiter: Waiter, who: Identity) -> Iterator[Told]:
    """A request that may wait: its peer is watched, and it counts as one of the polls of its session."""
    environ, parts, told = request.environ, services(), Told()
    parts.poll_sessions.begins(who.session_id, known_as(environ))
    watched = -1
    try:
        watched = parts.sockets.watch(environ, waiter)
        yield told
    finally:
        parts.sockets.unwatch(watched)
        parts.poll_sessions.ends(who.session_id, told.events, told.bytes, waiter.closing)
        metrics.delivered_by_poll.inc(told.events)


def streamed(held: ExitStack, stream: Stream, waiter: Waiter, offset: str, cursor: str) -> Response:
    """By the portable carrier: what many connections share in the detached one are the frames of `/events/stream`."""
    environ, parts = request.environ, services()
    pieces = Pieces(stream, waiter, known_as(environ))
    pieces.held.push(held.pop_all())
    try:
        pieces.held.callback(parts.sockets.unwatch, parts.sockets.watch(environ, waiter))
    except BaseException:
        pieces.close()
        raise
    environ[STREAM_OPENED] = True
    headers = [*STREAM_HEADERS, (durable.NEXT_OFFSET, offset), (durable.CURSOR, cursor)]
    return Answer(200, pieces, headers).response()


def head(content_type: str, offset: str, *, closed: bool = False) -> Response:
    """Where the stream ends just now."""
    headers = [("Content-Type", content_type), NOT_KEPT, (durable.NEXT_OFFSET, offset)]
    return Answer(200, b"", [*headers, *_closed(closed)]).response()


def answer(
    asked: Asked,
    body: bytes,
    content_type: str,
    offset: str,
    *,
    up_to_date: bool,
    empty: bool,
    closed: bool = False,
) -> Response:
    """One answer with a part of the stream, or 204 when a long poll has nothing to give."""
    headers = [("Content-Type", content_type), (durable.NEXT_OFFSET, offset), *_closed(closed)]
    if up_to_date:
        headers.append((durable.UP_TO_DATE, "true"))
    if asked.live is not None and not closed:
        headers.append((durable.CURSOR, durable.cache_cursor(asked.echoed)))
    if asked.live is not None and empty:
        return Answer(204, b"", [*headers, NOT_KEPT]).response()
    kept = asked.live is None and asked.offset != durable.NOW
    response = Answer(200, body, [*headers, ASKED_AGAIN if kept else NOT_KEPT]).response()
    if kept:
        # Of all that it says: an edit shows in what lies behind an old offset, and an end in what lies at the tail.
        response.set_etag(sha256(repr((offset, up_to_date, closed, body)).encode()).hexdigest())
        response.make_conditional(request)
    return response


def _closed(closed: bool) -> list[tuple[str, str]]:
    return [(durable.CLOSED, "true")] if closed else []
