"""LogOwner: the log goes on for the database that is there, and nothing of another one is shown from it."""

import shutil
from pathlib import Path

import pytest

from chatapp.errors import Unavailable
from chatapp.eventlog.live_log import ALIVE
from chatapp.eventlog.live_log import DATABASE
from chatapp.wire import Cursor
from tests.support.redis_server import RedisServer
from tests.support.stage import Stage
from tests.unit.conftest import Set


def held(stage: Stage) -> str:
    return stage.parts.live_log.holder()[0]


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


def test_of_many_that_find_a_loss_at_once_all_get_the_same_name(set_up: Set) -> None:
    one, other = set_up(), set_up()
    lost = (Cursor.at(1000), Cursor.at(2000))
    name = held(one)
    first = one.parts.log_owner._incarnations.begin("elsewhere", name, lost)
    second = other.parts.log_owner._incarnations.begin("elsewhere", name, lost)
    assert first.name == second.name != name
    # The next time is another one.
    assert one.parts.log_owner._incarnations.begin("elsewhere", first.name, lost).name != first.name


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
