"""Rooms taken apart in steps: a large one, and one that somebody still writes into."""

from itertools import pairwise

import pytest

from chatapp.errors import ChatError
from chatapp.errors import NotFound
from chatapp.errors import RoomExists
from chatapp.people import Identity
from chatapp.people import deleted_rooms
from chatapp.people import membership
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


def test_of_what_was_edited_often_some_events_go_at_once(stage: Stage, owner: Identity) -> None:
    room = stage.room(owner, "edited")
    id_ = stage.say(owner, "edited")["id"]
    for number in range(7):
        stage.parts.changes.edit(owner, id_, {"body": f"version {number}"})
    stage.parts.rooms.delete(owner, "edited")
    stage.settle()
    left, events = [8], "SELECT count(*) FROM events WHERE message_id IS NOT NULL AND room_id = :room"
    while left[-1]:
        stage.parts.deleted_rooms._step()
        stage.settle()
        left.append(stage.one(events, room=room))
    assert all(before - after <= 2 for before, after in pairwise(left))
    stage.parts.deleted_rooms._step()
    assert stage.one("SELECT count(*) FROM messages WHERE room_id = :room", room=room) == 0


def test_each_member_is_told_once(stage: Stage, owner: Identity) -> None:
    members = [stage.person(f"Bob {number}") for number in range(3)]
    stage.room(owner, "team", members=tuple(members))
    readers = [stage.reader(one, None) for one in (owner, *members)]
    visitor = stage.reader(stage.person("Eve"), None, "team")
    stage.parts.rooms.delete(owner, "team")
    for _ in range(4):
        stage.settle()
        stage.parts.deleted_rooms._step()
    stage.settle()
    for reader in (*readers, visitor):
        assert [event.type for event in stage.told(reader)].count("room.deleted") == 1


def test_what_is_not_in_the_log_yet_is_swept_later(stage: Stage, owner: Identity) -> None:
    id_ = stage.room(owner, "team")
    stage.send(owner, "team", "while Redis is away")
    publish = stage.parts.outbox._flush
    stage.parts.outbox._flush = lambda: None  # type: ignore[method-assign]
    stage.parts.rooms.delete(owner, "team")
    for _ in range(4):
        stage.parts.deleted_rooms._step()
    assert stage.one("SELECT count(*) FROM rooms WHERE swept_at IS NOT NULL") == 0
    stage.parts.outbox._flush = publish  # type: ignore[method-assign]
    for _ in range(4):
        stage.settle()
        stage.parts.deleted_rooms._step()
    assert stage.one("SELECT count(*) FROM messages WHERE room_id = :room", room=id_) == 0
    assert stage.one("SELECT count(*) FROM rooms WHERE swept_at IS NOT NULL") == 1


def test_nobody_joins_a_room_that_is_deleted_meanwhile(stage: Stage, owner: Identity) -> None:
    id_ = stage.room(owner, "team")
    bob = stage.person("Bob")
    stage.parts.rooms.delete(owner, "team")
    with pytest.raises(NotFound):
        stage.parts.database.write(lambda tx: membership.join(tx, id_, bob.id))
    assert stage.one("SELECT count(*) FROM memberships WHERE room_id = :room", room=id_) == 0
