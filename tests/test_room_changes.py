"""Rooms renamed and handed over, by their owners."""

from typing import Any

import pytest

from tests.support.person import Person


def change(who: Person, room: str, **new: Any) -> Any:
    return who.http.patch(f"/rooms/{room}", json=new)


def test_the_room_is_told_and_everybody_finds_it_so(ada: Person, bob: Person, room: str) -> None:
    since = bob.cursor()
    with bob.stream() as stream:
        stream.until("ready")
        renamed = change(ada, room, title="A better name")
        assert (renamed.status_code, renamed.json()["title"]) == (200, "A better name")
        told = stream.until("room.updated")
        assert told.data == {
            "type": "room.updated",
            "cursor": told.id,
            "room": room,
            "title": "A better name",
            "owner": ada.id,
        }
        assert change(ada, room, title="A better name").status_code == 200
        assert change(ada, room, owner=bob.id).json()["owner"] == bob.id
        assert stream.until("room.updated").data["owner"] == bob.id
    assert bob.http.get(f"/rooms/{room}").json()["title"] == "A better name"
    # One of each: what changed nothing was no event. By window and by database.
    for cursor in (since, "0-0"):
        events = bob.poll(cursor, rooms=room, limit=1000)["events"]
        updates = [event for event in events if event["type"] == "room.updated"]
        assert [event["title"] for event in updates] == ["A better name"] * 2
        assert updates[-1]["owner"] == bob.id
    # Ada has handed it over.
    assert change(ada, room, title="Mine again").status_code == 403
    assert change(bob, room, title=None).json()["title"] is None


def test_only_its_owner_changes_a_room(ada: Person, bob: Person, eve: Person, room: str) -> None:
    for other in (bob, eve):
        refused = change(other, room, title="Mine now")
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    direct = bob.http.put(f"/direct/{ada.id}").json()["name"]
    assert change(ada, direct, title="Ours").status_code == 403
    assert change(ada, "general", title="Mine").status_code == 403
    # Nor an owner who is not there.
    ada.http.delete(f"/rooms/{room}/members/me")
    assert change(ada, room, title="From outside").status_code == 403


@pytest.mark.parametrize(
    "new", [{}, {"owner": None}, {"owner": "u_nobody"}, {"title": ""}, {"name": "x"}, {"title": 1}]
)
def test_what_makes_no_sense_is_refused(ada: Person, room: str, new: dict[str, Any]) -> None:
    refused = change(ada, room, **new)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_message")
    assert ada.http.get(f"/rooms/{room}").json()["owner"] == ada.id


def test_a_new_owner_is_a_member(ada: Person, eve: Person, room: str) -> None:
    refused = change(ada, room, owner=eve.id)
    assert (refused.status_code, refused.json()["errors"]) == (422, {"owner": ["Not a member of the room."]})
