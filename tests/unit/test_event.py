import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatapp.wire.cursor import PACKED_MAX
from chatapp.wire.cursor import SEQUENCE_MAX
from chatapp.wire.cursor import Cursor
from chatapp.wire.event import Event

milliseconds = st.integers(0, 2**43 - 1)
sequences = st.integers(0, SEQUENCE_MAX)


@given(milliseconds, sequences)
def test_a_cursor_survives_its_text_and_its_number(time: int, sequence: int) -> None:
    cursor = Cursor.at(time, sequence)
    assert str(cursor) == f"{time}-{sequence}"
    assert Cursor.parse(str(cursor)) == cursor
    assert Cursor(cursor.packed) == cursor
    assert cursor.packed <= PACKED_MAX


@given(milliseconds, sequences, milliseconds, sequences)
def test_cursors_sort_as_two_integers(time: int, sequence: int, other: int, other_sequence: int) -> None:
    assert (Cursor.at(time, sequence) < Cursor.at(other, other_sequence)) == (
        (time, sequence) < (other, other_sequence)
    )


@given(st.text())
def test_any_text_is_a_cursor_or_a_value_error(text: str) -> None:
    try:
        cursor = Cursor.parse(text)
    except ValueError:
        return
    time, _, sequence = text.partition("-")
    assert (int(time), min(int(sequence), SEQUENCE_MAX)) == (cursor.milliseconds, cursor & SEQUENCE_MAX)


def test_a_cursor_beyond_the_database_is_after_every_row() -> None:
    assert Cursor.parse(f"{2**64 - 1}-0").packed == PACKED_MAX
    with pytest.raises(ValueError, match="64 bits"):
        Cursor.parse(f"{2**64}-0")


def test_a_created_message_gets_the_cursor_of_its_event() -> None:
    body = {"room": "r", "message": {"id": "1", "cursor": None}}
    event = Event(Cursor.at(5, 1), "message.created", 1, body)
    assert b'"cursor":"5-1","room":"r","message":{"id":"1","cursor":"5-1"}' in event.data
    later = Event(Cursor.at(6), "message.updated", 1, body)
    assert b'"message":{"id":"1","cursor":null}' in later.data
    assert event.frame.startswith(b"id: 5-1\nevent: message.created\ndata: {")
