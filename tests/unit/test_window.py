"""The window against a plain list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatapp.eventlog.window import Window
from chatapp.wire.cursor import Cursor
from chatapp.wire.event import Event

ROOMS = [1, 2, 3]
USERS = ["ada", "bob"]

kinds = st.one_of(
    st.tuples(st.just("message.created"), st.sampled_from(ROOMS), st.none(), st.none()),
    st.tuples(st.just("message.status"), st.sampled_from(ROOMS), st.sampled_from(USERS), st.none()),
    st.tuples(st.just("member.joined"), st.sampled_from(ROOMS), st.none(), st.sampled_from(USERS)),
)


def make(position: int, kind: tuple[str, int, str | None, str | None]) -> Event:
    type_, room, target, about = kind
    body = {"message": {"id": str(position), "cursor": None}} if type_ == "message.created" else {"room": str(room)}
    return Event(Cursor.at(position), type_, room, body, target=target, about=about)


@given(
    st.lists(kinds, max_size=30),
    st.integers(1, 10),
    st.integers(0, 30),
    st.sets(st.sampled_from(ROOMS)),
    st.sampled_from(USERS),
)
def test_a_reader_finds_exactly_what_concerns_it(
    log: list[tuple[str, int, str | None, str | None]], size: int, position: int, rooms: set[int], user: str
) -> None:
    window = Window(size)
    events = [make(number, kind) for number, kind in enumerate(log, 1)]
    for event in events:
        assert event.cursor is not None
        window.append(event, event.cursor)
    after = max(Cursor.at(position), window.start)
    expected = [
        event
        for event in events
        if event.cursor is not None
        and event.cursor > after
        and (event.room_id in rooms or event.about == user)
        and event.target in (None, user)
    ]
    assert window.after(after, rooms, user) == expected
    assert window.start == (Cursor(0) if len(events) <= size else events[-size - 1].cursor)
    assert window.end == (events[-1].cursor if events else Cursor(0))


def test_what_is_forgotten_is_so_also_when_it_is_read_later() -> None:
    window = Window(10)
    events = [make(number, ("message.created", 1, None, None)) for number in range(1, 5)]
    window.append(events[0], Cursor.at(1))
    window.forget(Cursor.at(3))
    for number, event in enumerate(events[1:], 2):
        window.append(event, Cursor.at(number))
    assert window.after(window.start, [1], "ada") == events[3:]
    assert window.start == Cursor.at(3)


def test_an_edit_restates_what_the_window_still_tells() -> None:
    window = Window(10)
    message = {"id": "m", "body": "first", "cursor": None}
    created = Event(Cursor.at(1), "message.created", 1, {"room": "r", "message": message})
    window.append(created, Cursor.at(1))
    edit = {"room": "r", "message": {**message, "body": "second", "cursor": "1-0"}}
    window.append(Event(Cursor.at(2), "message.updated", 1, edit), Cursor.at(2))
    (first, _) = window.after(Cursor(0), [1], "ada")
    assert first is created
    assert b"second" in first.frame
    assert b"first" not in first.frame
    assert first.frame.startswith(b"id: 1-0\nevent: message.created\n")


def test_a_reset_window_tells_nothing() -> None:
    window = Window(10)
    window.append(make(1, ("message.created", 1, None, None)), Cursor.at(1))
    window.reset(Cursor.at(5))
    assert window.after(Cursor(0), [1], "ada") == []
    assert (window.start, window.end) == (Cursor.at(5), Cursor.at(5))


def test_long_events_leave_earlier(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand of the longest messages would be 200 MB in each worker."""
    monkeypatch.setattr("chatapp.eventlog.window.BYTES_MAX", 100_000)
    window = Window(1000)
    for number in range(1, 101):
        body = {"message": {"id": str(number % 10), "cursor": None, "body": "x" * 5_000}}
        type_ = "message.created" if number <= 10 else "message.updated"
        window.append(Event(Cursor.at(number), type_, 1, body), Cursor.at(number))
        kept = window.all_after(Cursor(0))
        assert kept[-1].cursor == Cursor.at(number)
        assert sum(len(event.frame) for event in kept) <= 100_000
        assert window.start == (Cursor(0) if len(kept) == number else Cursor.at(number - len(kept)))
    assert len(kept) > 15
