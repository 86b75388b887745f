"""Membership: how many rooms a user may belong to, and what leaving them all says."""

import time

import pytest

from chatapp.errors import Forbidden
from chatapp.people import membership
from chatapp.people.membership import ROOMS_MAX
from tests.support.stage import Stage


def test_nobody_belongs_to_more_rooms_than_can_be_followed(stage: Stage) -> None:
    """All of them are looked at for each page of the past, and named in each `ready`."""
    ada, bob = stage.person("Ada"), stage.person("Bob")
    stage.room(ada, "one-more")
    stage.room(ada, "secret", "private")
    stage.write(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :most) "
        "INSERT INTO rooms (name, visibility, created_at) SELECT 'many-' || i, 'public', '2026-01-01 00:00:00' FROM n",
        most=ROOMS_MAX - 1,
    )
    stage.write(
        "INSERT INTO memberships (room_id, user_id, joined_at, joined) "
        "SELECT id, :who, '2026-01-01 00:00:00', 0 FROM rooms WHERE name LIKE 'many-%'",
        who=bob.id,
    )
    # `general` is one of them.
    assert stage.one("SELECT COUNT(*) FROM memberships WHERE user_id = :who", who=bob.id) == ROOMS_MAX
    with pytest.raises(Forbidden):
        stage.parts.rooms.add(bob, "one-more", bob.id)
    with pytest.raises(Forbidden):
        stage.parts.rooms.add(ada, "secret", bob.id)
    with pytest.raises(Forbidden):
        stage.parts.rooms.create(bob, "own", None, "public")
    assert stage.one("SELECT COUNT(*) FROM rooms WHERE name = 'own'") == 0
    # One that the user is in already.
    stage.parts.rooms.add(bob, "many-7", bob.id)
    stage.parts.rooms.remove(bob, "many-7", bob.id)
    stage.parts.rooms.add(bob, "one-more", bob.id)


def test_nobody_is_kept_out_of_rooms_by_direct_ones(stage: Stage) -> None:
    """Which others make with them, and a host's token does not even show."""
    ada, bob = stage.person("Ada"), stage.person("Bob")
    stage.room(ada, "team")
    stage.write(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :most) "
        "INSERT INTO rooms (name, visibility, created_at) SELECT 'dm-' || i, 'direct', '2026-01-01 00:00:00' FROM n",
        most=ROOMS_MAX,
    )
    stage.write(
        "INSERT INTO memberships (room_id, user_id, joined_at, joined) "
        "SELECT id, :who, '2026-01-01 00:00:00', 0 FROM rooms WHERE visibility = 'direct'",
        who=bob.id,
    )
    with pytest.raises(Forbidden):
        stage.parts.rooms.direct(ada, bob.id)
    stage.parts.rooms.add(bob, "team", bob.id)
    stage.parts.database.write(lambda tx: membership.claim(tx, bob.id, frozenset({"of-the-host"})))


def test_a_guest_who_signs_out_leaves_all_at_once(stage: Stage) -> None:
    ada, bob = stage.person("Ada"), stage.person("Bob")
    stage.room(ada, "team", members=(bob,))
    since = stage.parts.tail.end
    stage.parts.sessions.sign_out(bob)
    stage.settle()
    told = [event for event in stage.told(stage.reader(ada, since)) if event.type == "member.left"]
    assert sorted(event.room_name for event in told) == ["general", "team"]
    assert {event.about for event in told} == {bob.id}


def test_a_token_of_a_thousand_rooms_is_a_handful_of_statements(stage: Stage) -> None:
    """One after the other, they took longer than a transaction may, and the token never opened anything."""
    ada, bob = stage.person("Ada"), stage.person("Bob")
    stage.room(ada, "of-a-guest")
    since = stage.parts.tail.end
    names = frozenset({"of-a-guest", "dm-nobody", *(f"room-{number}" for number in range(1000))})
    before_s = time.process_time()
    stage.parts.database.write(lambda tx: membership.claim(tx, bob.id, names))
    assert time.process_time() - before_s < 4.0
    stage.settle()
    belongs = stage.parts.known_rooms.memberships(bob, None)
    assert {room.name for room in belongs.rooms} == {f"room-{number}" for number in range(1000)}
    joined = [event for event in stage.told(stage.reader(bob, since)) if event.type == "member.joined"]
    assert [event.room_name for event in joined] == [
        room.name for room in sorted(belongs.rooms, key=lambda one: one.id)
    ]
    # A membership and its receipt begin with its event.
    begins = (
        "SELECT COUNT(*) FROM receipts JOIN events ON number = joined WHERE first = log_id AND receipts.user_id = :who"
    )
    assert stage.one(begins, who=bob.id) == 1001
    # What another worker has joined meanwhile is not joined again.
    ids = [room.id for room in belongs.rooms]
    stage.parts.database.write(lambda tx: membership._join(tx, ids, bob.id))
    assert stage.one("SELECT COUNT(*) FROM events WHERE log_id IS NULL") == 0
    # The same again changes nothing; fewer, and the others are left.
    stage.parts.database.write(lambda tx: membership.claim(tx, bob.id, names))
    stage.parts.database.write(lambda tx: membership.claim(tx, bob.id, frozenset({"room-1", "room-2"})))
    stage.settle()
    assert {room.name for room in stage.parts.known_rooms.memberships(bob, None).rooms} == {"room-1", "room-2"}
    assert stage.one("SELECT COUNT(*) FROM events WHERE type = 'member.left'") == 999
