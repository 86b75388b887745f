"""Followers: who is told of which room."""

from chatapp.eventlog.listener import Followers
from chatapp.eventlog.listener import Listener


def listener(user: str, *rooms: int) -> Listener:
    one = Listener(user, "session")
    one.rooms = rooms
    return one


def test_found_by_room_until_discarded() -> None:
    followers: Followers[Listener] = Followers()
    ada, also_ada, bob = listener("ada", 1, 2), listener("ada", 2), listener("bob", 2)
    for one in (ada, also_ada, bob):
        followers.add(one)
    assert set(followers.of_room(1)) == {ada}
    assert set(followers.of_room(2)) == {ada, also_ada, bob}
    followers.discard(ada)
    assert set(followers.of_room(1)) == set()
    assert set(followers.of_room(2)) == {also_ada, bob}


def test_discarding_who_was_never_added_changes_nothing() -> None:
    followers: Followers[Listener] = Followers()
    bob = listener("bob", 1)
    followers.add(bob)
    followers.discard(listener("bob", 1))
    followers.discard(listener("ada", 3))
    assert set(followers.of_room(1)) == {bob}
    assert set(followers.of_room(None)) == set()
