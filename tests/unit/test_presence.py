"""Presence: whose connections follow which rooms, over several workers, moved by hand."""

from dataclasses import dataclass
from typing import Any

import pytest

from chatapp.errors import RedisAway
from chatapp.errors import Unavailable
from chatapp.people import Identity
from chatapp.people import online as online_module
from chatapp.people import presence as presence_module
from chatapp.receiving import Reader
from chatapp.receiving import Wanted
from tests.support.stage import Stage
from tests.unit.conftest import Set


@dataclass
class World:
    """Two workers, and the signals of a room that they told."""

    here: Stage
    there: Stage
    room_id: int

    def connect(self, stage: Stage, who: Identity, **options: Any) -> Reader:
        return stage.parts.feed.open(stage.parts.feed.waiter(who, "poll"), who, Wanted(**options), None)

    def end(self, stage: Stage, reader: Reader) -> None:
        stage.parts.feed.close(reader.listener)

    def rounds(self) -> list[dict[str, Any]]:
        """A round of each worker, and one more for what is due by then; what was told of the room meanwhile."""
        before = self.here.parts.live_log.last_signal()
        for stage in (self.here, self.there, self.here):
            for key in stage.parts.link.commands.call(lambda redis: redis.keys("chat:online:told:*")):
                stage.parts.link.commands.call(lambda redis, key=key: redis.delete(key))
            due = stage.parts.link.commands.call(lambda redis: redis.zrange("chat:online:due", 0, -1))
            for room in due:
                stage.parts.link.commands.call(lambda redis, room=room: redis.zadd("chat:online:due", {room: 0}))
            stage.parts.presence._round()
            stage.parts.last_seen._write()
        end = self.here.parts.tail.end
        told = self.here.parts.live_log.read(end, before, 1.0).of_rooms
        return [one.body for one in told if one.type == "presence" and one.room_id == self.room_id]

    def changes(self) -> list[tuple[str, bool]]:
        return [(one["user"]["name"], one["online"]) for body in self.rounds() for one in body["changes"]]

    @property
    def count(self) -> int:
        return self.there.parts.online.counts([self.room_id])[self.room_id]


@pytest.fixture
def world(set_up: Set, monkeypatch: pytest.MonkeyPatch) -> World:
    here, there = set_up(CHATAPP_GUESTS_PER_MINUTE="600"), set_up()
    ada = here.person("Ada")
    room_id = here.room(ada, "team")
    for stage in (here, there):
        stage.settle()
    # Who comes back, does so before this is over; who does not, is gone when a test says so.
    monkeypatch.setattr(presence_module, "GRACE_S", 3600.0)
    return World(here, there, room_id)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence_module, "GRACE_S", 0.0)


def member(world: World, name: str) -> Identity:
    who = world.here.person(name)
    world.here.parts.rooms.add(who, "team", who.id)
    for stage in (world.here, world.there):
        stage.settle()
    return who


def over(world: World) -> None:
    """The time of grace is over, for all that are leaving."""
    for stage in (world.here, world.there):
        leaving = stage.parts.presence._leaving
        for pair, (_, session) in list(leaving.items()):
            leaving[pair] = (0.0, session)


def test_a_person_is_there_from_the_first_connection_to_the_last_wherever_they_are(world: World) -> None:
    bob = member(world, "Bob")
    first = world.connect(world.here, bob)
    assert world.changes() == [("Bob", True)]
    second = world.connect(world.there, bob)
    third = world.connect(world.there, bob, names=frozenset({"team"}))
    assert (world.changes(), world.count) == ([], 1)
    world.end(world.here, first)
    world.end(world.there, second)
    world.rounds()
    over(world)
    assert (world.changes(), world.count) == ([], 1)
    world.end(world.there, third)
    # Nobody sees it yet.
    assert (world.changes(), world.count) == ([], 1)
    over(world)
    assert (world.changes(), world.count) == ([("Bob", False)], 0)


def test_who_comes_back_in_time_was_never_away(world: World) -> None:
    bob = member(world, "Bob")
    reader = world.connect(world.here, bob)
    assert world.changes() == [("Bob", True)]
    world.end(world.here, reader)
    assert world.changes() == []
    world.connect(world.there, bob)
    assert world.changes() == []
    over(world)
    assert (world.changes(), world.count) == ([], 1)


def test_whoever_asked_while_somebody_came_and_went_is_told_how_many_there_are(world: World, at_once: None) -> None:
    bob, cyd = member(world, "Bob"), member(world, "Cyd")
    world.connect(world.here, cyd)
    world.here.parts.presence._round()
    reader = world.connect(world.here, bob)
    # The room was told just now.
    world.here.parts.presence._round()
    # Who asks now is told two.
    assert world.count == 2
    world.end(world.here, reader)
    world.here.parts.presence._round()
    assert [(one["onlineCount"], one["changes"]) for one in world.rounds()] == [(1, [])]
    assert world.rounds() == []


def test_visitors_and_others_rooms_do_not_count(world: World) -> None:
    eve, bob = world.here.person("Eve"), member(world, "Bob")
    world.connect(world.here, eve, names=frozenset({"team"}))
    world.connect(world.here, bob, names=frozenset({"general"}))
    assert (world.rounds(), world.count) == ([], 0)


def test_whoever_leaves_a_room_or_signs_out_is_gone_at_once(world: World) -> None:
    bob, cyd = member(world, "Bob"), member(world, "Cyd")
    readers = [world.connect(world.here, who) for who in (bob, cyd)]
    assert sorted(world.changes()) == [("Bob", True), ("Cyd", True)]
    world.here.parts.rooms.remove(bob, "team", bob.id)
    for stage in (world.here, world.there):
        stage.settle()
    # The connection reads of it, and follows the room no longer.
    readers[0].read(10, 10_000)
    assert (world.changes(), world.count) == ([("Bob", False)], 1)
    # Between two polls.
    world.end(world.here, readers[1])
    assert world.changes() == []
    world.here.parts.end_session(cyd.session_id)
    assert (world.changes(), world.count) == ([("Cyd", False)], 0)


def test_whoever_joins_while_connected_is_there(world: World) -> None:
    bob = world.here.person("Bob")
    reader = world.connect(world.here, bob)
    assert world.changes() == []
    world.here.parts.rooms.add(bob, "team", bob.id)
    world.here.settle()
    reader.read(10, 10_000)
    assert (world.changes(), world.count) == ([("Bob", True)], 1)


def test_more_changes_than_are_named_are_a_number(world: World) -> None:
    for number in range(online_module.NAMED_MAX + 1):
        world.connect(world.here, member(world, f"Bob {number}"))
    told = world.rounds()
    assert [(one["onlineCount"], one["changes"]) for one in told] == [(online_module.NAMED_MAX + 1, [])]


def test_a_dead_workers_people_are_taken_back_by_another(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    bob, cyd = member(world, "Bob"), member(world, "Cyd")
    world.connect(world.here, bob)
    world.connect(world.there, cyd)
    world.rounds()
    redis = world.here.parts.link.commands
    dead = world.there.parts.online._worker
    assert redis.call(lambda redis: redis.zscore("chat:online", dead))
    redis.call(lambda redis: redis.zadd("chat:online", {dead: 1}))
    # Nothing was lost just now.
    redis.call(lambda redis: redis.delete("chat:online:again"))
    here = world.here.parts.presence
    here._round()
    world.here.parts.last_seen._write()
    assert world.count == 1
    assert seen(world, cyd) is not None
    assert seen(world, bob) is None
    # It was not dead: it says again what it said, and this time everybody has to hear it.
    world.there.parts.presence._round()
    assert world.there.parts.online._worker != dead
    assert ("Cyd", True) in world.changes()
    assert world.count == 2


def test_after_a_time_without_redis_nobody_is_taken_for_dead(world: World) -> None:
    """Both have been silent for longer than a lease: the one that comes first does not take the other for dead."""
    bob, cyd = member(world, "Bob"), member(world, "Cyd")
    world.connect(world.here, bob)
    world.connect(world.there, cyd)
    world.rounds()
    redis = world.here.parts.link.commands
    for worker in (world.here.parts.online._worker, world.there.parts.online._worker):
        redis.call(lambda redis, worker=worker: redis.zadd("chat:online", {worker: 1}))
    redis.call(lambda redis: redis.set("chat:online:heard", 1))
    assert (world.changes(), world.count) == ([], 2)


def test_what_redis_lost_is_said_again_without_a_word(world: World) -> None:
    bob, cyd, dan = member(world, "Bob"), member(world, "Cyd"), member(world, "Dan")
    world.connect(world.here, bob)
    gone = world.connect(world.here, dan)
    world.connect(world.there, cyd)
    world.rounds()
    assert world.there.parts.online.counts([world.room_id]) == {world.room_id: 3}
    world.here.parts.link.commands.call(lambda redis: redis.flushall())
    # Only one has noticed so far: whoever asks is told what was before.
    world.here.parts.presence._round()
    world.here.parts.presence._round()
    assert world.count == 3
    world.end(world.here, gone)
    world.rounds()
    over(world)
    # Nothing is told as long as it is not known who is there.
    assert world.rounds() == []
    world.here.parts.link.commands.call(lambda redis: redis.delete("chat:online:again"))
    # Who went meanwhile is told, and who stayed is not.
    assert world.changes() == [("Dan", False)]
    assert world.here.parts.online.among(world.room_id, [bob.id, cyd.id, dan.id]) == {bob.id, cyd.id}


def test_an_older_redis_in_its_place_keeps_no_ghosts(world: World) -> None:
    """A replica that lagged behind: it has somebody who is gone, and lacks somebody who is there."""
    bob, cyd = member(world, "Bob"), member(world, "Cyd")
    reader = world.connect(world.here, bob)
    world.rounds()
    redis = world.here.parts.link.commands
    before = redis.call(
        lambda redis: {key: redis.dump(key) for key in redis.keys("chat:online*") if key != b"chat:online:again"}
    )
    world.connect(world.here, cyd)
    world.end(world.here, reader)
    world.rounds()
    over(world)
    assert sorted(world.changes()) == [("Bob", False)]
    redis.call(lambda redis: redis.delete(*redis.keys("chat:online*")))
    for key, value in before.items():
        redis.call(lambda redis, key=key, value=value: redis.restore(key, 0, value))
    former = world.here.parts.online._worker
    world.here.parts.presence.say_again()
    assert world.changes() == [("Cyd", True)]
    redis.call(lambda redis: redis.zadd("chat:online", {former: 1}))
    assert (world.changes(), world.count) == ([("Bob", False)], 1)


def test_who_has_many_rooms_is_there_in_all_of_them(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence_module, "SAID_MAX", 2)
    people = [member(world, f"Bob {number}") for number in range(7)]
    for who in people:
        world.connect(world.here, who)
    for _ in range(7):
        world.here.parts.presence._round()
    assert world.count == 7
    world.here.parts.presence.say_again()
    for _ in range(7):
        world.here.parts.presence._round()
    assert not world.here.parts.presence._again


def test_while_redis_is_away_everything_stays_as_it_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    bob, cyd = member(world, "Bob"), member(world, "Cyd")
    world.connect(world.here, bob)
    world.rounds()
    assert world.count == 1

    def away(*_: Any) -> Any:
        raise RedisAway("away")

    for stage in (world.here, world.there):
        monkeypatch.setattr(stage.parts.link.quick, "call", away)
        monkeypatch.setattr(stage.parts.online, "_script_of_counts", away)
    script = world.here.parts.online._script
    monkeypatch.setattr(world.here.parts.online, "_script", away)
    world.connect(world.here, cyd)
    with pytest.raises(RedisAway):
        world.here.parts.presence._round()
    assert world.count == 1
    assert world.here.parts.online.among(world.room_id, [bob.id, cyd.id]) == {bob.id, cyd.id}
    monkeypatch.setattr(world.here.parts.online, "_script", script)
    assert world.changes() == [("Cyd", True)]


def test_what_could_not_be_told_is_told_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    bob, cyd = member(world, "Bob"), member(world, "Cyd")
    world.connect(world.here, bob)

    def away(*_: Any) -> Any:
        raise Unavailable("away")

    presence = world.here.parts.presence
    with monkeypatch.context() as patched:
        patched.setattr(presence._database, "read", away)
        with pytest.raises(Unavailable):
            presence._round()
    world.connect(world.here, cyd)
    # Not who, but that, and how many.
    assert [(body["onlineCount"], body["changes"]) for body in world.rounds()] == [(2, [])]
    assert world.rounds() == []


def test_what_is_said_beside_the_log_does_not_fill_redis(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online_module, "SIGNALS_KEPT_MS", -10_000)
    redis = world.here.parts.link.commands
    for _ in range(500):
        world.here.parts.live_log.signal({"type": "long", "text": "x" * 1000})
    world.here.parts.presence._round()
    assert redis.call(lambda redis: redis.xlen("chat:signals")) < 200


def seen(world: World, who: Identity) -> str | None:
    found: str | None = world.here.one(
        "SELECT last_seen_at FROM memberships WHERE user_id = :user AND room_id = :room",
        user=who.id,
        room=world.room_id,
    )
    return found


def test_members_are_sorted_as_people_sort_and_paged(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("zoë", "Zoe", "Ägir", "bob", "Bob B", "агата"):
        member(world, name)
    world.connect(world.here, member(world, "Élan"))
    world.connect(world.here, member(world, "Bea"))
    world.rounds()
    ada = world.here.parts.sessions.new_guest("Reader").identity
    members = world.here.parts.members

    def names(limit: int, *, online: bool = False) -> list[str]:
        found: list[str] = []
        after = None
        while True:
            page, after = members.page(ada, "team", after, limit, online=online)
            found += [one.name for one in page]
            assert len(page) <= limit
            if after is None:
                return found

    everyone = names(1000)
    assert [name for name in everyone if name not in ("zoë", "Zoe")] == [
        "Ada",
        "Ägir",
        "Bea",
        "bob",
        "Bob B",
        "Élan",
        "агата",
    ]
    assert names(2) == names(1) == everyone
    for limit in (1, 2, 3, 1000):
        assert names(limit, online=True) == ["Bea", "Élan"]
    # In a room where too many are there to be looked up one by one.
    module = "chatapp.people.members"
    monkeypatch.setattr(f"{module}.LOOKED_UP_MAX", 1)
    for step in (1, 3, 100):
        monkeypatch.setattr(f"{module}.WALK_STEP", step)
        for limit in (1, 2, 3, 1000):
            assert names(limit, online=True) == ["Bea", "Élan"]
