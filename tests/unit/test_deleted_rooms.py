"""Rooms taken apart in steps: a large one, and one that somebody still writes into."""

import pytest

from chatapp.errors import ChatError
from chatapp.errors import RoomExists
from chatapp.people import Identity
from chatapp.people import deleted_rooms
from chatapp.wire import Cursor
from tests.support.stage import Stage


@pytest.fixture
def owner(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Identity:
    monkeypatch.setattr(deleted_rooms, "TOLD_AT_ONCE", 2)
    monkeypatch.setattr(deleted_rooms, "MESSAGES_AT_ONCE", 2)
    monkeypatch.setattr(deleted_rooms, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(deleted_rooms, "LATE_S", 0.0)
    return stage.person("Ada")


def test_a_large_room_keeps_its_name_until_all_were_told(stage: Stage, owner: Identity) -> None:
    members = [stage.person(f"Bob {number}") for number in range(4)]
    id_ = stage.room(owner, "large", members=tuple(members))
    before = stage.parts.tail.end
    for number in range(5):
        stage.say(owner, "large", f"number {number}")
    stage.parts.rooms.delete(owner, "large")
    stage.settle()
    # Whoever was not told yet finds it gone as well.
    left = stage.one("SELECT count(*) FROM memberships WHERE room_id = :room", room=id_)
    assert left == 3
    for member in members:
        with pytest.raises(ChatError):
            stage.send(member, "large")
    assert stage.one("SELECT count(*) FROM messages WHERE room_id = :room", room=id_) == 5
    with pytest.raises(RoomExists):
        stage.parts.rooms.create(owner, "large", None, "public")
    for _ in range(20):
        stage.parts.deleted_rooms._step()
        stage.settle()
    stage.parts.rooms.create(owner, "large", None, "public")
    stage.settle()
    for table in ("memberships", "messages", "receipts"):
        assert stage.one(f"SELECT count(*) FROM {table} WHERE room_id = :room", room=id_) == 0, table
    assert stage.one("SELECT count(*) FROM events WHERE room_id = :room AND type <> 'room.deleted'", room=id_) == 0
    assert stage.one("SELECT swept_at FROM rooms WHERE id = :room", room=id_) is not None
    for member in members:
        # By the window, and by the database.
        for since in (before, Cursor(0)):
            mine = [event for event in stage.told(stage.reader(member, since)) if event.room_id == id_]
            assert [event.type for event in mine][-1] == "room.deleted"
            assert mine[-1].body == {"room": "large"}
            assert [event.type for event in mine].count("room.deleted") == 1
