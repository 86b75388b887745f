"""Durable Streams on the wire: offsets that sort as text, cursors that never go back, events as they were meant."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatapp.wire import Cursor
from chatapp.wire import durable
from chatapp.wire import sse

# What a room is ever given: 43 bits of milliseconds, 20 of sequence.
cursors = st.integers(0, 2**63 - 1).map(Cursor)
lengths = st.integers(0, 10**6)


@given(cursors, cursors)
def test_offsets_of_rooms_sort_as_text(one: Cursor, other: Cursor) -> None:
    first, second = durable.room_offset(one), durable.room_offset(other)
    assert (first < second, first == second) == (one < other, one == other)
    assert durable.parse_room_offset(first) == one


@given(lengths, lengths)
def test_offsets_of_texts_sort_as_text(one: int, other: int) -> None:
    first, second = durable.text_offset(one), durable.text_offset(other)
    assert (first < second, first == second) == (one < other, one == other)
    assert durable.parse_text_offset(first) == one


@given(cursors, lengths)
def test_an_offset_is_no_sentinel_and_needs_no_escape(cursor: Cursor, length: int) -> None:
    for offset in (durable.room_offset(cursor), durable.text_offset(length)):
        assert offset not in (durable.BEGINNING, durable.NOW)
        assert set(offset) <= set("0123456789-")


@pytest.mark.parametrize(
    "text", ["", "-1", "now", "1-2", "1763781234567-1048576", "１763781234567-0000000", "0000000001"]
)
def test_what_no_room_was_given_is_no_offset(text: str) -> None:
    with pytest.raises(ValueError, match="looks like"):
        durable.parse_room_offset(text)


@given(st.none() | st.integers(0, 10**15 - 1))
def test_the_cursor_of_caches_goes_on(echoed: int | None) -> None:
    present = int(durable.cache_cursor(None))
    following = int(durable.cache_cursor(echoed))
    assert following >= present
    assert echoed is None or following > echoed


@given(st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"]), min_size=1))
def test_a_text_comes_back_as_it_was(text: str) -> None:
    frame = durable.data(text.encode()).decode()
    head, _, rest = frame.partition("\n")
    assert (head, frame[-2:]) == ("event: data", "\n\n")
    assert "\n".join(line.removeprefix("data: ") for line in rest[:-2].split("\n")) == text


def test_a_cr_would_be_another_line() -> None:
    with pytest.raises(ValueError, match="CR"):
        sse.lines("data", b"a\rb")


def test_what_is_closed_has_no_cursor() -> None:
    said = {}
    for closed in (False, True):
        frame = durable.control("0000000001", "7", up_to_date=True, closed=closed).decode()
        said[closed] = json.loads(frame.partition("data: ")[2])
    assert said[False] == {"streamNextOffset": "0000000001", "streamCursor": "7", "upToDate": True}
    assert said[True] == {"streamNextOffset": "0000000001", "streamClosed": True, "upToDate": True}
