"""FirstPlaces: the first time counts, and as many are remembered as are asked for."""

from chatapp.eventlog.first_places import FirstPlaces
from chatapp.wire import Cursor


def test_the_first_place_counts_however_long_it_is_seen() -> None:
    places = FirstPlaces(10)
    for number in range(100):
        places.note("again and again", Cursor(number))
        places.note(f"{number}", Cursor(number))
    assert places.get("again and again") == Cursor(0)
    assert places.get("unseen") is None


def test_the_newest_are_remembered_and_the_oldest_are_not() -> None:
    places = FirstPlaces(10)
    for number in range(100):
        places.note(f"{number}", Cursor(number))
        assert all(places.get(f"{one}") == Cursor(one) for one in range(max(0, number - 9), number + 1))
    assert sum(places.get(f"{number}") is not None for number in range(100)) <= 20
