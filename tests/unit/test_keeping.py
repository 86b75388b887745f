"""What goes out, comes in and is forgotten, on the parts themselves."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chatapp.keeping import ImportRefused
from chatapp.keeping import ManyWaiting
from chatapp.keeping import RoomImport
from chatapp.keeping import Said
from chatapp.keeping import documents
from chatapp.keeping import forgetting
from chatapp.keeping import imported
from chatapp.keeping.sources import json_lines
from chatapp.people import Identity
from chatapp.people import membership
from chatapp.runtime import utc_now
from tests.support.stage import Stage
from tests.unit.conftest import Set

YEAR_2001 = 10**12


@pytest.fixture
def ada(stage: Stage) -> Identity:
    return stage.person("Ada")


def brought(stage: Stage, room: str, *words: str, public: bool = True) -> int:
    """Import these. Returns how many were new."""
    room_import = RoomImport(stage.parts.database, "irc", room)
    for word in words:
        assert room_import.take(Said("1", room, word, "cyd", "Cyd", word, YEAR_2001)) is None
    room_import.finish(public=public)
    return room_import.new


def visibility(stage: Stage, room: str) -> str:
    return str(stage.one("SELECT visibility FROM rooms WHERE name = :room", room=room))


def test_an_export_has_all_that_waits_to_be_published_or_none(
    stage: Stage, ada: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatapp.keeping.export.MESSAGES_AT_ONCE", 2)
    monkeypatch.setattr("chatapp.keeping.export.WAITING_MAX", 5)
    room = stage.room(ada, "tea")
    for number in range(3):
        stage.say(ada, "tea", f"said {number}")
    for number in range(5):
        stage.send(ada, "tea", f"waits {number}")
    said = [one["body"] for page in documents(stage.parts.database, room) for one in page]
    assert said == [*(f"said {number}" for number in range(3)), *(f"waits {number}" for number in range(5))]
    stage.send(ada, "tea", "one too many")
    with pytest.raises(ManyWaiting, match="more than 5 messages"):
        list(documents(stage.parts.database, room))


def test_a_room_that_others_have_used_since_stays_private(stage: Stage, ada: Identity) -> None:
    assert brought(stage, "tea", "a", "b", public=False) == 2
    # As a host's token brings somebody in, who speaks and leaves.
    room = stage.one("SELECT id FROM rooms WHERE name = 'tea'")
    stage.parts.database.write(lambda tx: membership.join(tx, room, ada.id))
    stage.settle()
    with pytest.raises(ImportRefused, match="somebody belongs to the room tea"):
        brought(stage, "tea", "a", "b")
    stage.send(ada, "tea", "between us")
    stage.parts.rooms.remove(ada, "tea", ada.id)
    # Published or not.
    for _ in range(2):
        with pytest.raises(ImportRefused, match="somebody has spoken in the room tea"):
            brought(stage, "tea", "a", "b")
        stage.settle()
    assert visibility(stage, "tea") == "private"


def test_a_room_that_no_import_has_made_is_left_alone(stage: Stage, ada: Identity) -> None:
    stage.room(ada, "owned")
    stage.parts.rooms.remove(ada, "owned", ada.id)
    stage.settle()
    with pytest.raises(ImportRefused, match="somebody owns the room owned"):
        brought(stage, "owned", "a")
    stage.write("INSERT INTO rooms (name, visibility, created_at) VALUES ('there', 'public', '2026-01-01 00:00:00')")
    with pytest.raises(ImportRefused, match="no import has filled it"):
        brought(stage, "there", "a")
    assert brought(stage, "tea", "a") == 1
    assert visibility(stage, "tea") == "public"
    assert brought(stage, "tea", "a", "b") == 1


def test_what_was_private_comes_into_no_public_room(stage: Stage) -> None:
    assert brought(stage, "tea", "a") == 1
    room_import = RoomImport(stage.parts.database, "mattermost", "tea")
    room_import.take(Said("1", "tea", "b", "cyd", "Cyd", "secret", YEAR_2001, private=True))
    with pytest.raises(ImportRefused, match="the room tea is public"):
        room_import.finish(public=False)
    assert stage.one("SELECT count(*) FROM messages") == 1


@pytest.mark.parametrize("moment", ["at_ms", "edited_ms", "deleted_ms"])
def test_no_moment_lies_outside_of_time(stage: Stage, moment: str) -> None:
    room_import = RoomImport(stage.parts.database, "chatapp", "tea")
    for odd in ("9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"):
        said = Said("1", "tea", "key", "cyd", "Cyd", "a", YEAR_2001)
        refused = room_import.take(replace(said, **{moment: json_lines.moment_ms(odd)}))
        assert refused is not None
        assert "before 1970" in refused.reason
    room_import.finish(public=True)


def test_nobody_is_another_by_a_nick(stage: Stage) -> None:
    key = imported.person_id("irc", "ada")
    assert imported.person_id("chatapp", key) == key
    assert imported.person_id("irc", key) != key


def told(stage: Stage, who: Identity) -> str:
    """All that somebody hears who was away."""
    return b" ".join(event.data for event in stage.told(stage.reader(who, "0-0"))).decode()


def test_no_worker_remembers_the_name_of_who_is_forgotten(set_up: Set) -> None:
    one, other = set_up(), set_up()
    other.read()
    ada, bob = one.person("Ada"), one.person("Bob Bobson")
    one.room(ada, "tea", members=(bob,))
    gone = one.say(bob, "tea", "withdrawn long before")
    one.parts.changes.withdraw(bob, gone["id"])
    one.settle()
    for worker in (one, other):
        worker.read()
        assert "Bob Bobson" in told(worker, ada)
    # This one has it from the database.
    other.forget_window()
    assert "Bob Bobson" in told(other, ada)

    assert sum(forgetting.forget(one.parts.database, one.parts.live_log, bob.id)) == 0
    for worker in (one, other):
        worker.parts.tail._follow()
        assert "Forgotten" in told(worker, ada)
        assert "Bob Bobson" not in told(worker, ada)


def test_sessions_that_are_long_over_need_not_end(stage: Stage, ada: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatapp.keeping.forgetting.SESSIONS_AT_ONCE", 2)
    for days in (-5, 1, 29, 40, 50):
        stage.write(
            "INSERT INTO sessions (token_hash, user_id, guest, created_at, expires_at)"
            " VALUES (:hash, :user, TRUE, '2026-01-01 00:00:00', :then)",
            hash=f"over-{days}",
            user=ada.id,
            then=str((utc_now() - timedelta(days=days)).replace(tzinfo=None)),
        )
    for _ in forgetting.forget(stage.parts.database, stage.parts.live_log, ada.id):
        pass
    left = "SELECT group_concat(token_hash) FROM sessions WHERE signed_out_at IS NULL"
    assert stage.one(left) == "over-40,over-50"


def test_receipts_go_though_nothing_tells_of_the_joining_any_more(
    stage: Stage, ada: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatapp.keeping.forgetting.ROOMS_AT_ONCE", 2)
    for number in range(5):
        stage.room(ada, f"room-{number}")
    stage.write("DELETE FROM events WHERE user_id = :ada", ada=ada.id)
    for _ in forgetting.forget(stage.parts.database, stage.parts.live_log, ada.id):
        pass
    assert stage.one("SELECT count(*) FROM receipts WHERE user_id = :ada", ada=ada.id) == 0
