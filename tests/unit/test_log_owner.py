"""LogOwner: the log goes on for the database that is there, and nothing of another one is shown from it."""

import shutil
from pathlib import Path

import pytest

from chatapp.errors import Unavailable
from chatapp.eventlog.incarnations import same_server
from chatapp.eventlog.live_log import ALIVE
from chatapp.eventlog.live_log import DATABASE
from chatapp.eventlog.log_owner import LogOwner
from chatapp.keeping.pruning import prune
from chatapp.wire import Cursor
from tests.support.redis_server import RedisServer
from tests.support.stage import Stage
from tests.unit.conftest import Set


def held(stage: Stage) -> str:
    return stage.parts.live_log.holder("", 0.0)[0]


def back_up(data: Path) -> Path:
    """What stands in the database now, as a file of its own."""
    kept = data.with_name("backup")
    shutil.copytree(data, kept)
    return kept


def restore(backup: Path, data: Path) -> None:
    shutil.rmtree(data)
    shutil.copytree(backup, data)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def said(stage: Stage, count: int, what: str) -> list[str]:
    ada = stage.parts.sessions.new_guest("Ada").identity
    ids = [stage.send(ada, "general", f"{what} {number}") for number in range(count)]
    stage.settle()
    return ids


def places(stage: Stage, ids: list[str]) -> list[int]:
    return [stage.message(id_).log_id or 0 for id_ in ids]


def test_a_restored_database_goes_on_above_all_that_was_shown(set_up: Set, data: Path) -> None:
    before = set_up()
    said(before, 3, "kept")
    backup, end = back_up(data), before.parts.tail.end
    said(before, 60, "lost")
    shown = before.parts.tail.end
    before.close()
    restore(backup, data)
    after = set_up()
    bob = after.person("Bob")
    assert after.parts.live_log.last() > shown
    new = said(after, 30, "new")
    assert min(places(after, new)) > shown
    # From the beginning there is what the database has, and nothing that only the log had.
    assert after.bodies(bob, "0-0") == [f"new {number}" for number in range(30)]
    seen = [event.body for event in after.parts.tail.window.all_after(Cursor(0)) if "message" in event.body]
    assert not [body for body in seen if body["message"]["body"].startswith("lost")]
    # Whoever saw nothing of what is lost goes on; whoever may have, begins anew.
    assert not after.reader(bob, end).reset
    assert after.reader(bob, shown).reset
    assert not after.reader(bob, Cursor(places(after, new)[-1])).reset


def test_the_same_database_on_another_server_loses_nothing(set_up: Set, data: Path) -> None:
    before = set_up()
    ids = said(before, 5, "kept")
    end, name = before.parts.tail.end, held(before)
    before.close()
    restore(back_up(data), data)
    after = set_up()
    assert held(after) not in ("", name)
    assert places(after, ids) == sorted(places(after, ids))
    bob = after.person("Bob")
    assert not after.reader(bob, end).reset
    assert not after.reader(bob, Cursor(places(after, ids)[2])).reset


def test_a_restart_changes_nothing(set_up: Set) -> None:
    before = set_up()
    said(before, 5, "kept")
    name, last = held(before), before.parts.live_log.last()
    before.close()
    after = set_up()
    assert (held(after), after.parts.live_log.last()) == (name, last)


def test_whoever_is_cut_off_with_the_old_database_stores_nothing(set_up: Set, shared_redis: RedisServer) -> None:
    stage = set_up()
    ada = stage.person("Ada")
    last = stage.parts.live_log.last()
    shared_redis.client.set(DATABASE, "of a standby that was promoted elsewhere")
    shared_redis.client.set(ALIVE, "1", px=60_000)
    stage.parts.log_owner.check()
    with pytest.raises(Unavailable, match="another database"):
        stage.send(ada, "general", "would be lost")
    with pytest.raises(Unavailable):
        stage.parts.database.ping()
    assert stage.parts.live_log.last() == last
    # Nobody else is there any more: the log goes on for this one.
    shared_redis.client.delete(ALIVE)
    stage.parts.log_owner.check()
    stage.read()
    id_ = stage.send(ada, "general", "stored")
    stage.settle()
    assert places(stage, [id_])[0] > last
    assert held(stage) == stage.parts.live_log.database


def test_what_a_worker_publishes_for_the_wrong_database_is_refused(set_up: Set, shared_redis: RedisServer) -> None:
    """Before it has noticed: its check comes every two seconds."""
    stage = set_up()
    ada = stage.person("Ada")
    last = stage.parts.live_log.last()
    shared_redis.client.set(DATABASE, "of a standby that was promoted elsewhere")
    id_ = stage.send(ada, "general", "not published")
    with pytest.raises(Exception, match="another database"):
        stage.publish()
    assert (stage.parts.live_log.last(), places(stage, [id_])) == (last, [0])


def test_of_many_that_find_another_server_at_once_all_get_the_same_name(set_up: Set) -> None:
    one, other = set_up(), set_up()
    name = held(one)
    first = one.parts.log_owner._incarnations.begin("elsewhere", name, lost=True)
    assert other.parts.log_owner._incarnations.begin("elsewhere", name, lost=True) == first != name
    # The next time is another one; without a loss, a server that is known already is none.
    assert one.parts.log_owner._incarnations.begin("elsewhere", first, lost=False) == first
    assert one.parts.log_owner._incarnations.begin("elsewhere", first, lost=True) not in (name, first)


def test_whoever_takes_the_log_over_and_dies_leaves_the_rest_to_others(set_up: Set, data: Path) -> None:
    before = set_up()
    said(before, 3, "kept")
    backup = back_up(data)
    said(before, 5, "lost")
    shown = before.parts.tail.end
    before.close()
    restore(backup, data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LogOwner, "check", lambda _: None)
        died = set_up()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LogOwner, "_go_on", _die)
        with pytest.raises(ZeroDivisionError):
            died.parts.log_owner.check()
    assert died.parts.live_log.last() == shown
    after = set_up()
    bob = after.person("Bob")
    assert after.reader(bob, shown).reset
    assert after.parts.live_log.last() > shown


def _die(*_: object) -> None:
    raise ZeroDivisionError("kill -9")


def test_what_the_service_deleted_itself_is_not_lost(set_up: Set) -> None:
    """A worker starts after a room was deleted, and what was said there is the newest of the log."""
    stage = set_up()
    ada = stage.person("Ada")
    stage.room(ada, "team")
    for number in range(3):
        stage.say(ada, "team", f"{number}")
    end, name = stage.parts.tail.end, held(stage)
    # As the sweep leaves it, with its own event not published yet.
    stage.write("UPDATE rooms SET deleted_at = '2026-01-01 00:00:00' WHERE name = 'team'")
    stage.write("DELETE FROM events WHERE message_id IS NOT NULL")
    after = set_up()
    assert held(after) == name
    assert not after.reader(after.person("Bob"), end).reset


def test_what_was_pruned_is_not_lost(set_up: Set) -> None:
    stage = set_up()
    said(stage, 3, "old")
    end, name = stage.parts.tail.end, held(stage)
    for _ in prune(stage.parts.database, Cursor(end + 1)):
        pass
    assert stage.one("SELECT COUNT(*) FROM messages") == 0
    after = set_up()
    assert held(after) == name
    assert not after.reader(after.person("Bob"), end).reset


def test_nobody_publishes_without_a_name(set_up: Set, shared_redis: RedisServer) -> None:
    """A worker that was refused must not come in when Redis forgets whose log it is."""
    stage = set_up()
    ada = stage.person("Ada")
    last = stage.parts.live_log.last()
    shared_redis.client.delete(DATABASE)
    stage.parts.live_log.database = ""
    stage.send(ada, "general", "not published")
    with pytest.raises(Exception, match="another database"):
        stage.publish()
    assert (stage.parts.live_log.last(), shared_redis.client.get(DATABASE)) == (last, None)


def test_workers_that_are_there_keep_the_log_while_their_database_is_away(
    set_up: Set, shared_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a host that is cut off with the old server would take it in that time."""
    stage = set_up()
    shared_redis.client.delete(ALIVE)

    def away(*_: object) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(stage.parts.database, "read", away)
    with pytest.raises(Unavailable):
        stage.parts.log_owner.check()
    assert shared_redis.client.exists(ALIVE)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("", "16/7/1", True),
        ("16", "16/7/1", True),
        ("16/7/1", "16/7/2", False),
        ("16", "17", False),
        ("1", "16", False),
    ],
)
def test_a_server_that_tells_less_is_not_another_one(one: str, other: str, same: bool) -> None:
    assert same_server(one, other) == same_server(other, one) == same


def test_while_redis_is_away_the_worker_starts_all_the_same(set_up: Set, redis_server: RedisServer) -> None:
    redis_server.stop()
    stage = set_up(REDIS_URL=redis_server.url)
    ada = stage.parts.sessions.new_guest("Ada").identity
    assert stage.send(ada, "general", "stored")
    redis_server.start_again()
    stage.parts.link.commands._away_until_s = 0.0
    stage.parts.log_owner.check()
    stage.settle()
    assert held(stage) == stage.parts.live_log.database


def test_a_look_where_nothing_changed_writes_nothing_and_asks_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every worker looks every two seconds."""
    stage.parts.log_owner.check()
    read, asked = stage.parts.database.read, []
    monkeypatch.setattr(stage.parts.database, "read", lambda work: asked.append("read") or read(work))
    monkeypatch.setattr(stage.parts.database, "write_always", lambda work: asked.append("write"))
    stage.parts.log_owner.check()
    assert asked == ["read"]
