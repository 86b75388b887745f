"""What a round of pruning takes, on the parts themselves."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chatapp.keeping import Removed
from chatapp.keeping import prune
from chatapp.keeping import regular_pruning
from chatapp.keeping import tell_workers
from chatapp.people import Identity
from chatapp.runtime import utc_now
from chatapp.wire import Content
from chatapp.wire import Cursor
from tests.support.stage import Stage
from tests.unit.conftest import Set


def pruned(stage: Stage, before: Cursor | None = None, *, dry: bool = False) -> Removed:
    """Everything before a place, or up to now."""
    before = before or Cursor(stage.parts.tail.end + 1)
    return sum(prune(stage.parts.database, before, dry=dry), Removed())


def left(stage: Stage, room: str) -> list[str]:
    """The types of the room's events, in order."""
    query = (
        "SELECT group_concat(type || coalesce(' ' || user_id, '')) FROM (SELECT events.* FROM events"
        " JOIN rooms ON rooms.id = room_id WHERE name = :room ORDER BY number)"
    )
    return (stage.one(query, room=room) or "").split(",")


@pytest.fixture
def ada(stage: Stage) -> Identity:
    return stage.person("Ada")


def test_a_message_stays_as_long_as_something_younger_was_told_of_it(stage: Stage, ada: Identity) -> None:
    stage.room(ada, "tea")
    old, edited, withdrawn, waits = (stage.say(ada, "tea", word)["id"] for word in ("a", "b", "c", "d"))
    grows = stage.parts.messaging.store(ada, "tea", "grows-0001", Content("so", growing=True)).document["id"]
    stage.settle()
    before = Cursor(stage.parts.tail.end + 1)
    stage.parts.changes.edit(ada, edited, {"body": "later"})
    stage.parts.changes.withdraw(ada, withdrawn)
    stage.settle()
    stage.write("UPDATE events SET log_id = NULL WHERE message_id = :id", id=waits)
    assert pruned(stage, before, dry=True) == pruned(stage, before) == Removed(messages=1, events=1)
    assert {id_ for id_ in (old, edited, withdrawn, waits, grows) if stage.one(MESSAGE, id=id_)} == {
        edited,
        withdrawn,
        waits,
        grows,
    }
    stage.settle()
    assert pruned(stage).messages == 3
    assert stage.one(MESSAGE, id=grows) == 1


MESSAGE = "SELECT count(*) FROM messages WHERE id = :id"


def test_one_that_was_changed_very_often_goes_in_several_steps(
    stage: Stage, ada: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatapp.keeping.old_messages.EVENTS_AT_ONCE", 4)
    stage.room(ada, "tea")
    id_ = stage.say(ada, "tea")["id"]
    for number in range(10):
        stage.parts.changes.edit(ada, id_, {"body": f"version {number}"})
    stage.settle()
    steps = [step for step in prune(stage.parts.database, Cursor(stage.parts.tail.end + 1)) if step]
    assert max(step.events for step in steps) == 4
    assert sum(steps, Removed()) == Removed(messages=1, events=11)


def test_ended_between_two_steps_it_leaves_no_message_without_events(
    stage: Stage, ada: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatapp.keeping.old_messages.EVENTS_AT_ONCE", 5)
    stage.room(ada, "tea")
    for number in range(4):
        id_ = stage.say(ada, "tea", str(number))["id"]
        stage.parts.changes.edit(ada, id_, {"body": "edited"})
    stage.settle()
    without = "SELECT count(*) FROM messages WHERE id NOT IN (SELECT message_id FROM events WHERE message_id NOTNULL)"
    for step in prune(stage.parts.database, Cursor(stage.parts.tail.end + 1)):
        assert step.events <= 5
        assert stage.one(without) == 0
    assert stage.one("SELECT count(*) FROM messages") == 0


def test_what_was_changed_very_often_is_looked_at_by_its_newest_event(stage: Stage, ada: Identity) -> None:
    stage.room(ada, "tea")
    id_ = stage.say(ada, "tea")["id"]
    stage.write(
        "WITH RECURSIVE series (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM series WHERE i < 20000)"
        " INSERT INTO events (room_id, type, message_id, log_id) SELECT room_id, 'message.updated', message_id, log_id"
        " FROM events, series WHERE message_id = :id",
        id=id_,
    )
    before = Cursor(stage.parts.tail.end + 1)
    stage.parts.changes.edit(ada, id_, {"body": "later"})
    stage.settle()
    assert stage.steps(lambda: pruned(stage, before)) < 10_000
    assert stage.one(MESSAGE, id=id_) == 1


def test_of_joinings_and_leavings_the_last_stays(stage: Stage, ada: Identity) -> None:
    bob, cyd = stage.person("Bob"), stage.person("Cyd")
    stage.room(ada, "tea", members=(bob, cyd))
    for _ in range(3):
        stage.parts.rooms.remove(bob, "tea", bob.id)
        stage.parts.rooms.add(bob, "tea", bob.id)
    stage.parts.rooms.remove(cyd, "tea", cyd.id)
    stage.settle()
    before = Cursor(stage.parts.tail.end + 1)
    stage.parts.rooms.remove(bob, "tea", bob.id)
    stage.settle()
    removed = pruned(stage, before)
    # What began last stays, though it ended since: somebody may stand in between.
    assert left(stage, "tea") == [
        f"member.joined {ada.id}",
        f"member.joined {bob.id}",
        f"member.left {cyd.id}",
        f"member.left {bob.id}",
    ]
    assert removed == Removed(events=7, receipts=5)
    assert pruned(stage).events == 1
    stage.forget_window()
    told = stage.told(stage.reader(bob, "0-0"))
    assert [(event.type, event.about) for event in told if event.about == bob.id][-1] == ("member.left", bob.id)


def test_a_receipt_stays_as_long_as_a_message_that_it_covers(stage: Stage, ada: Identity) -> None:
    bob = stage.person("Bob")
    stage.room(ada, "tea", members=(bob,))
    said = stage.say(ada, "tea")
    stage.reader(bob, said["cursor"])
    stage.settle()
    stage.parts.rooms.remove(bob, "tea", bob.id)
    stage.settle()
    assert stage.delivered_to(said, ada) == ("delivered", 1)
    assert pruned(stage, Cursor.parse(said["cursor"])).receipts == 0
    assert stage.delivered_to(said, ada) == ("delivered", 1)
    assert pruned(stage).receipts == 1


def test_with_more_rows_than_are_looked_at_in_one_step(
    stage: Stage, ada: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    for where, name in (("moves", "ROWS"), ("receipts", "ROWS"), ("messages", "MESSAGES"), ("messages", "ROOMS")):
        monkeypatch.setattr(f"chatapp.keeping.old_{where}.{name}_AT_ONCE", 2)
    monkeypatch.setattr("chatapp.keeping.gone_guests.SESSIONS_AT_ONCE", 2)
    monkeypatch.setattr("chatapp.keeping.gone_guests.MEMBERSHIPS_AT_ONCE", 3)
    people = [stage.person(name) for name in ("Bob", "Cyd", "Dan", "Eve", "Fay")]
    for number in range(5):
        stage.room(ada, f"room-{number}", members=tuple(people))
        for word in ("x", "y", "z"):
            stage.say(people[0], f"room-{number}", word)
        for one in people:
            stage.parts.rooms.remove(one, f"room-{number}", one.id)
            stage.parts.rooms.add(one, f"room-{number}", one.id)
    stage.write(
        "UPDATE sessions SET expires_at = :then WHERE user_id <> :ada",
        then=str((utc_now() - timedelta(days=62)).replace(tzinfo=None)),
        ada=ada.id,
    )
    first = pruned(stage)
    assert (first.messages, first.sessions, first.memberships) == (15, 5, 30)
    # Two of each in each room, and one in `general`.
    assert first.receipts == 55
    stage.settle()
    pruned(stage)
    assert {event for number in range(5) for event in left(stage, f"room-{number}")} == {f"member.joined {ada.id}"}
    assert stage.one("SELECT count(*) FROM users WHERE name = 'Guest'") == 5
    assert stage.one("SELECT count(*) FROM receipts WHERE user_id <> :ada", ada=ada.id) == 0
    assert pruned(stage) == Removed()


def test_what_would_be_removed_is_counted_as_it_is(
    stage: Stage, ada: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatapp.keeping.old_messages.EVENTS_AT_ONCE", 4)
    talker, _ = stage.person("Talker"), stage.person("Silent")
    stage.room(ada, "tea", members=(talker,))
    kept = stage.say(talker, "tea", "kept")["id"]
    for number in range(9):
        stage.say(ada, "tea", str(number))
    before = Cursor(stage.parts.tail.end + 1)
    stage.parts.changes.edit(talker, kept, {"body": "lately"})
    stage.settle()
    stage.write("UPDATE sessions SET expires_at = '2020-01-01 00:00:00' WHERE user_id <> :ada", ada=ada.id)
    would = pruned(stage, before, dry=True)
    assert (would.messages, would.events, would.guests) == (9, 9, 1)
    # Besides the receipts of those who leave by it.
    assert replace(pruned(stage, before), receipts=0) == would


def test_windows_forget_what_was_pruned(stage: Stage, ada: Identity) -> None:
    stage.room(ada, "tea")
    said = [stage.say(ada, "tea", word) for word in "abc"]
    pruned(stage, Cursor.parse(said[2]["cursor"]))
    assert stage.bodies(ada, "0-0") == ["a", "b", "c"]
    tell_workers(stage.parts.live_log, Cursor.parse(said[2]["cursor"]))
    stage.parts.tail._follow()
    assert stage.bodies(ada, "0-0") == ["c"]
    assert stage.bodies(ada, said[1]["cursor"]) == ["c"]


def test_one_worker_prunes_at_a_time_and_another_goes_on_when_it_dies(set_up: Set) -> None:
    one, other = set_up(CHATAPP_KEEP_DAYS="1"), set_up(CHATAPP_KEEP_DAYS="1")
    one.parts.pruning._step()
    other.parts.pruning._step()
    assert one.parts.pruning._steps is not None
    assert other.parts.pruning._steps is None
    one.parts.link.quick.call(lambda redis: redis.delete(regular_pruning.TURN))
    while other.parts.link.quick.call(lambda redis: redis.get(regular_pruning.TURN)) != b"done":
        other.parts.pruning._step()
    # Whoever was thought to be dead gives up, and nobody begins before it is time.
    for stage in (one, other):
        stage.parts.pruning._step()
        assert stage.parts.pruning._steps is None


def test_a_round_tells_the_workers_also_what_one_removed_that_was_ended(set_up: Set) -> None:
    one, other = (set_up(CHATAPP_KEEP_DAYS="1") for _ in range(2))
    other.read()
    ada = one.person("Ada")
    one.room(ada, "tea")
    said = one.say(ada, "tea", "old")
    other.read()
    one.write("DELETE FROM events WHERE message_id = :id", id=said["id"])
    one.write("DELETE FROM messages WHERE id = :id", id=said["id"])
    assert other.bodies(ada, "0-0") == ["old"]
    one.parts.pruning._keep_days = 0
    while one.parts.link.quick.call(lambda redis: redis.get(regular_pruning.TURN)) != b"done":
        one.parts.pruning._step()
    other.parts.tail._follow()
    assert other.bodies(ada, "0-0") == []
