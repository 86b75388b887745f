"""Server-Sent Events, however they are cut."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatapp.client.event_stream import PENDING_MAX_CHARACTERS
from chatapp.client.event_stream import EventStream
from chatapp.client.event_stream import NotAnEventStream
from chatapp.client.event_stream import ServerSent
from chatapp.wire import sse

LINE_ENDS = st.sampled_from(["\n", "\r\n", "\r"])
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=12)
# Whatever else may stand in a stream.
NOISE = st.sampled_from([": a comment", ":", "retry: 100", "unknown: field", "nofield"])


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[ServerSent]]:
    """A stream, and the events in it."""
    lines: list[str] = []
    events: list[ServerSent] = []
    last_id: str | None = None
    for _ in range(draw(st.integers(0, 5))):
        lines += draw(st.lists(NOISE, max_size=2))
        lines.append("")
        kind, data, id_ = draw(TEXT), draw(st.lists(TEXT, min_size=1, max_size=3)), draw(st.none() | TEXT)
        if id_ is not None:
            lines.append(f"id: {id_}")
            last_id = id_
        lines += [f"event: {kind}", *(f"data: {line}" for line in data), ""]
        events.append(ServerSent(kind or "message", "\n".join(data), last_id))
    text = draw(st.sampled_from(["", "\ufeff"]))
    for line in lines:
        end = draw(LINE_ENDS)
        # An LF behind a CR would be the same end of line.
        text += line + ("\r" if end == "\n" and not line and text.endswith("\r") else end)
    return text.encode(), events


def pieces(whole: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(whole) + 1) for cut in cuts), len(whole)]
    return [whole[a:b] for a, b in itertools.pairwise(places)]


@given(streams(), st.lists(st.integers(0, 10_000), max_size=30))
def test_any_cuts_give_the_same_events(stream: tuple[bytes, list[ServerSent]], cuts: list[int]) -> None:
    whole, events = stream
    # The last CR may be half of a CRLF.
    for parts in (pieces(whole, cuts), [bytes([byte]) for byte in whole], [whole]):
        parser = EventStream()
        assert [event for part in [*parts, b"\n"] for event in parser.feed(part)] == events


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_bytes_of_any_kind_are_no_error(parts: list[bytes]) -> None:
    parser, at_once = EventStream(), EventStream()
    given_in_parts = [event for part in parts for event in parser.feed(part)]
    assert given_in_parts == at_once.feed(b"".join(parts))


@given(st.text(st.characters(exclude_categories=["Cs"])), st.sampled_from([None, "1763781234567-0"]))
def test_what_the_service_says_is_understood(body: str, cursor: str | None) -> None:
    frame = sse.frame("message.created", json.dumps({"body": body}).encode(), cursor) + sse.retry(212)
    [event] = EventStream().feed(frame)
    assert (event.event, json.loads(event.data), event.id) == ("message.created", {"body": body}, cursor)


def test_what_never_ends_is_not_kept() -> None:
    piece = b"x" * (PENDING_MAX_CHARACTERS // 4)
    for part in (piece, b"data: " + piece + b"\n"):
        parser = EventStream()
        for _ in range(4):
            parser.feed(part)
        with pytest.raises(NotAnEventStream):
            parser.feed(part)
