"""`Listening`: news from a cursor on, by stream, or by poll where a proxy holds streams back."""

import json
import time
from collections import OrderedDict
from collections.abc import Callable
from collections.abc import Generator
from collections.abc import Iterable
from typing import Any
from typing import Literal

from chatapp.client.answer import Answer
from chatapp.client.backoff import Backoff
from chatapp.client.errors import Away
from chatapp.client.errors import NoAnswer
from chatapp.client.event import Event
from chatapp.client.event_stream import EventStream
from chatapp.client.event_stream import NotAnEventStream
from chatapp.client.kept_cursor import KeptCursor
from chatapp.client.step import Call
from chatapp.client.step import Flow
from chatapp.client.step import Open
from chatapp.client.step import Pause
from chatapp.client.step import Read
from chatapp.client.step import Step

# The service sends `ready` at once; a proxy that buffers holds it back.
READY_WITHIN_S = 5.0
# A proxy's habits do not change by the minute; after so long a stream is tried again.
STREAM_AGAIN_S = 300.0
# A connection that lived this long was a success.
STEADY_AFTER_S = 5.0
# Once may be chance: a stream that fell silent after its `ready`.
SILENCES_BEFORE_POLL = 2
HEARTBEAT_S = 15.0
POLL_WAIT_S = 25
POLL_MARGIN_S = 10.0
# What the contract allows, 1 MiB and the event that passes it, with room above.
POLL_BYTES_MAX = 8 * 1024 * 1024
# How far back a copy of an event is recognised; after a fault the last few come again.
RECENT_MAX = 1_000
# Where the service asks for less, a connection that ends at once would be asked for in a ring.
REOPEN_LEAST_S = 0.1

EventFlow = Generator[Step | Event, Any, None]


class Listening:
    """`cursor` is the position up to which everything was taken. `transport` is what is used now."""

    def __init__(
        self,
        rooms: Iterable[str] | None,
        since: str | None,
        kept: KeptCursor | None,
        patience_s: float | None,
        delivered: Callable[[str], None],
    ) -> None:
        self._query = {} if rooms is None else {"rooms": ",".join(rooms)}
        self._kept = kept
        self._patience_s = patience_s
        self._delivered = delivered
        kept_cursor = kept.load() if kept else None
        self.cursor = kept_cursor or since
        # Whether these rooms could be followed before: then one that was lost since is no mistake of the caller.
        self._follows = kept_cursor is not None
        self.transport: Literal["stream", "poll"] = "stream"
        self._stream_again_s = 0.0
        self._silences = 0
        self._heartbeat_s = HEARTBEAT_S
        self._is_ready = False
        self._heard_s = self._opened_s = time.monotonic()
        self._backoff = Backoff()
        self._recent: OrderedDict[tuple[str | None, ...], None] = OrderedDict()

    def flow(self) -> EventFlow:
        """Events between its steps, for ever. Raises Refused, Unauthenticated; Away after `patience_s` of silence."""
        while True:
            self._choose()
            self._is_ready = False
            try:
                wait_s = yield from self._stream() if self.transport == "stream" else self._poll()
            except NoAnswer as trouble:
                self._lost(trouble)
                wait_s = self._backoff.failed(trouble.retry_after_s)
            if wait_s:
                yield Pause(wait_s)

    def _choose(self) -> None:
        if self.transport == "poll" and time.monotonic() >= self._stream_again_s:
            self.transport = "stream"

    def _lost(self, trouble: NoAnswer) -> None:
        """Raises Away when it lasts longer than the caller bears."""
        silent_s = time.monotonic() - self._heard_s
        if self._patience_s is not None and silent_s > self._patience_s:
            raise Away(f"nothing was heard for {silent_s:.0f} s: {trouble}")
        if self.transport == "stream" and trouble.timed_out:
            self._silences += 1
            if not self._is_ready or self._silences >= SILENCES_BEFORE_POLL:
                self._use_poll()

    def _use_poll(self) -> None:
        self.transport = "poll"
        self._silences = 0
        self._stream_again_s = time.monotonic() + STREAM_AGAIN_S

    def _stream(self) -> Generator[Step | Event, Any, float]:
        """One stream to its end. Returns after how many seconds to come back."""
        head: Answer = yield Open(self._call("stream"), READY_WITHIN_S)
        if not (head.status == 200 and head.headers.get("content-type", "").startswith("text/event-stream")):
            # A poll is plain HTTP, and says itself what is wrong.
            self._use_poll()
            content = yield from _rest()
            Answer(head.status, head.headers, content).document()
            raise NoAnswer(f"answered {head.status} and no event stream")
        parser = EventStream()
        self._opened_s = time.monotonic()
        ready_by_s = self._opened_s + READY_WITHIN_S
        while piece := (yield Read(self._silence_s() if self._is_ready else ready_by_s - time.monotonic())):
            for event in _parsed(parser, piece):
                if event.type == "closing":
                    return max(REOPEN_LEAST_S, float(event.data.get("retryAfterMs", 0)) / 1000)
                yield from self._take(event)
        raise NoAnswer("the stream was cut")

    def _poll(self) -> Generator[Step | Event, Any, float]:
        query = {"wait": str(POLL_WAIT_S)}
        head: Answer = yield Open(self._call("poll", query), POLL_WAIT_S + POLL_MARGIN_S)
        content = yield from _rest()
        document = Answer(head.status, head.headers, content).document()
        try:
            events, cursor = [Event.of(one) for one in document["events"]], str(document["cursor"])
        except (KeyError, TypeError):
            raise NoAnswer("answered 200, which is no poll of the service") from None
        self._heard()
        self._follows = True
        self._backoff.worked()
        if document.get("reset"):
            yield from self._take(Event("reset", cursor, None, {"type": "reset", "cursor": cursor}))
        for event in events:
            yield from self._take(event)
        self._stand_at(cursor)
        return 0.0

    def _call(self, address: str, query: dict[str, str] | None = None) -> Call:
        since = {} if self.cursor is None else {"since": self.cursor}
        # With this header a stream leaves out what may not be read any more, unless nothing is left.
        headers = {"Last-Event-ID": self.cursor} if self._follows and self.cursor is not None else {}
        within_s = max(self._silence_s(), POLL_WAIT_S + POLL_MARGIN_S)
        query = {**self._query, **since, **(query or {})}
        return Call("GET", f"events/{address}", query=query, headers=headers, within_s=within_s)

    def _silence_s(self) -> float:
        """Two heartbeats that did not come, and a moment for the way."""
        return 2 * self._heartbeat_s + 5.0

    def _take(self, event: Event) -> EventFlow:
        """Give it, unless it is the connection's own or was given before; keep its cursor once it was taken."""
        if event.type == "ready":
            self._is_ready = True
            self._heartbeat_s = float(event.data.get("heartbeatSeconds", HEARTBEAT_S))
            self._follows = True
            if self.cursor is not None:
                # It goes on from there; or `reset` comes next, and moves it once that was handled.
                self._heard()
                return
        elif event.type == "heartbeat":
            # What comes later proves that a stream gets through; its first bytes do not.
            self._silences = 0
        elif event.type == "reset":
            self._recent.clear()
            yield event
        elif not event.waits_for_its_place and self._is_new(event):
            if event.type == "message.status" and event.data.get("status") == "delivered":
                self._delivered(event.data["localId"])
            yield event
        # Also when it was worked on for long.
        self._heard()
        if event.cursor is not None:
            self._stand_at(event.cursor)

    def _is_new(self, event: Event) -> bool:
        if event.cursor is None:
            return True
        if event.identity in self._recent:
            return False
        self._recent[event.identity] = None
        if len(self._recent) > RECENT_MAX:
            self._recent.popitem(last=False)
        return True

    def _stand_at(self, cursor: str) -> None:
        if cursor != self.cursor:
            self.cursor = cursor
            if self._kept is not None:
                self._kept.keep(cursor)

    def _heard(self) -> None:
        self._heard_s = time.monotonic()
        # One that is cut right after its `ready`, again and again, is no success.
        if self._heard_s - self._opened_s > STEADY_AFTER_S:
            self._backoff.worked()


def _parsed(parser: EventStream, piece: bytes) -> list[Event]:
    """Raises NoAnswer for what the service never sends."""
    try:
        return [Event.of(json.loads(one.data)) for one in parser.feed(piece)]
    except (NotAnEventStream, ValueError, KeyError, TypeError) as error:
        raise NoAnswer(f"an event that is none: {error}") from None


def _rest() -> Flow[bytes]:
    """What is open, to its end."""
    content = b""
    while piece := (yield Read(POLL_MARGIN_S)):
        content += piece
        if len(content) > POLL_BYTES_MAX:
            raise NoAnswer(f"an answer of more than {POLL_BYTES_MAX} bytes")
    return content
