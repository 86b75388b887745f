"""Tail: what a worker remembers ends with what it heard."""

import time
from collections.abc import Sequence
from typing import Any

import gevent
import pytest

from chatapp.errors import RedisAway
from chatapp.errors import Unavailable
from chatapp.eventlog import LiveLog
from chatapp.eventlog.tail import LOOK_INTERVAL_S
from chatapp.wire import Cursor
from chatapp.wire import Event
from tests.support.redis_server import RedisServer
from tests.support.stage import Stage
from tests.unit.conftest import Set


def test_whoever_was_removed_in_a_gap_of_the_log_hears_nothing_more(set_up: Set, shared_redis: RedisServer) -> None:
    """The readers that the gap left behind catch up as soon as anything waits: before this worker is done with it."""
    here, elsewhere = set_up(), set_up()
    ada, bob = here.person("Ada"), here.person("Bob")
    here.room(ada, "team", "private", members=(bob,))
    elsewhere.read()
    reader = here.reader(bob, here.parts.tail.end)
    named = here.reader(bob, here.parts.tail.end, "team")
    assert (here.told(reader), here.told(named)) == ([], [])
    elsewhere.parts.rooms.remove(ada, "team", bob.id)
    elsewhere.publish()
    elsewhere.say(ada, "team", "behind his back")
    shared_redis.client.delete("chat:events")

    caught_up: list[gevent.Greenlet[..., Any]] = []
    here.parts.tail.on_reset.append(
        lambda end: caught_up.extend(gevent.spawn(here.told, one) for one in (reader, named))
    )
    last_signal = here.parts.live_log.last_signal

    def slow() -> str:
        gevent.sleep(0)
        gevent.sleep(0)
        return last_signal()

    here.parts.live_log.last_signal = slow  # type: ignore[method-assign]
    here.parts.tail._look()
    told = [one.get(timeout=10) for one in caught_up]
    assert [[event.type for event in events] for events in told] == [["member.left"]] * 2
    here.say(ada, "team", "after it")
    assert (here.told(reader), here.told(named)) == ([], [])


def test_steady_news_does_not_keep_the_tail_from_looking(set_up: Set, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every entry may follow the one before it, on another server all the same."""
    other, here = set_up(), set_up()
    ada = other.person("Ada")
    here.read()
    looked: list[int] = []
    server = LiveLog.server
    monkeypatch.setattr(LiveLog, "server", lambda self: looked.append(1) or server(self))  # type: ignore[func-returns-value]
    here.parts.tail._looked_s -= LOOK_INTERVAL_S
    for number in range(3):
        other.send(ada, "general", f"{number}")
        other.publish()
        here.read()
    assert looked


def test_what_another_worker_had_published_is_not_lost_with_the_log(set_up: Set, shared_redis: RedisServer) -> None:
    """Nobody has read it when the log is lost, and who publishes next does not know of it."""
    here, there = set_up(), set_up()
    ada, bob = here.person("Ada"), here.person("Bob")
    there.publish()
    for stage in (here, there):
        stage.read()
    readers = {stage: stage.reader(bob, stage.parts.tail.end) for stage in (here, there)}
    there.send(ada, "general", "published and recorded, and then the log is lost")
    there.parts.outbox._flush()
    shared_redis.client.flushall()
    here.send(bob, "general", "next")
    here.publish()
    for stage, reader in readers.items():
        # Before a look would notice.
        stage.parts.tail._looked_s = time.monotonic()
        stage.read()
        said = [event.body["message"]["body"] for event in stage.told(reader) if event.type == "message.created"]
        assert said == ["published and recorded, and then the log is lost", "next"]


def test_a_log_that_was_cut_to_nothing_is_noticed(set_up: Set, shared_redis: RedisServer) -> None:
    """As when Redis is full: an entry that this worker has not read is gone, and none comes after it."""
    other, here = set_up(), set_up()
    ada = other.person("Ada")
    here.read()
    reader = here.reader(ada, here.parts.tail.end)
    other.send(ada, "general", "not read yet")
    other.publish()
    shared_redis.client.xtrim("chat:events", maxlen=0, approximate=False)
    here.parts.tail._look()
    assert [event.type for event in here.told(reader)] == ["message.created"]


def test_a_gap_that_could_not_be_closed_is_closed_later(set_up: Set, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is away in the moment in which the tail finds another server."""
    here = set_up()
    here.read()
    tail = here.parts.tail
    monkeypatch.setattr(LiveLog, "server", lambda self: "another")
    with monkeypatch.context() as failing:

        def fail(seconds: float) -> None:
            raise Unavailable("away")

        failing.setattr(here.parts.kept_log, "await_records", fail)
        with pytest.raises(Unavailable):
            tail._look()
    assert not tail.current
    tail._resume()
    assert tail._server == "another"


def test_a_log_that_is_raised_again_and_again_costs_one_look(set_up: Set, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any guest raises it, with a cursor a little ahead each time."""
    other, here = set_up(), set_up()
    other.person("Ada")
    here.read()
    base = other.parts.live_log.last()
    reads: list[int] = []
    read = here.parts.database.read

    def counted(work: Any) -> Any:
        reads.append(1)
        return read(work)

    monkeypatch.setattr(here.parts.database, "read", counted)
    for number in range(1, 201):
        other.parts.live_log.raise_to(Cursor(base + (number << 20)))
    here.read()
    assert here.parts.tail.end == base + (200 << 20)
    assert len(reads) < 20


@pytest.mark.parametrize("call", ["last", "raise_to", "last_signal"])
def test_nothing_is_remembered_when_redis_fails_in_the_middle(
    stage: Stage, call: str, shared_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.say(stage.person("Ada"), "general")
    tail = stage.parts.tail
    assert tail.current
    shared_redis.client.delete("chat:events")

    def fail(*_: Any) -> Any:
        raise RedisAway("away")

    broken: list[bool] = []
    tail.on_break.append(lambda: broken.append(True))
    with monkeypatch.context() as failing:
        failing.setattr(stage.parts.live_log, call, fail)
        tail._looked_s = 0.0
        with pytest.raises(RedisAway):
            tail._read()
    assert not tail.current
    end = tail.end
    tail._resume()
    assert broken
    assert tail.current
    assert tail.end >= end > Cursor(0)


def test_what_its_own_worker_published_is_read_at_once(set_up: Set) -> None:
    """Of several workers each waits for company after news, but not while a send waits for its place."""
    here, elsewhere = set_up(), set_up()
    ada, tail = here.person("Ada"), here.parts.tail
    elsewhere.say(ada, "general", "news")
    tail._pause_s = 60.0
    reading = gevent.spawn(tail._read)
    gevent.sleep(0)
    while tail.end < here.parts.live_log.last():
        gevent.sleep(0)
    elsewhere.say(ada, "general", "more of it")
    end = here.parts.live_log.last()
    assert not reading.ready()
    type(tail).wait_for(tail, end, 0.0)
    reading.get(timeout=10)
    assert tail.end < end
    tail._pause_s = 0.0
    tail._read()
    assert tail.end == end


def test_a_signal_of_another_version_does_not_stop_the_tail(set_up: Set) -> None:
    """As while one version replaces the other."""
    here, elsewhere = set_up(), set_up()
    ada = here.person("Ada")
    heard: list[str] = []
    here.parts.tail.on_room_signal.append(lambda signal: heard.append(signal.type))
    for signal in (
        {"type": "newer", "room_id": 1, "body": {}, "unheard-of": 1},
        {"type": "known", "room_id": 1, "body": {}},
    ):
        elsewhere.parts.live_log.signal(signal)
    elsewhere.say(ada, "general", "goes on")
    here.read()
    assert heard == ["known"]
    assert here.parts.tail.end == here.parts.live_log.last()


def test_a_defect_in_what_remembers_keeps_nobody_from_being_told(set_up: Set) -> None:
    """What nobody follows goes with what somebody does: it may be what cannot be read."""
    here = set_up()
    ada = here.person("Ada")
    here.room(ada, "other")
    reader = here.reader(ada, here.parts.tail.end, "general")

    def fails(events: Sequence[Event]) -> None:
        raise ValueError("cannot be read")

    here.parts.tail.on_read.insert(0, fails)
    here.send(ada, "general", "told all the same")
    here.send(ada, "other", "cannot be read")
    here.publish()
    reader.listener.clear()
    with pytest.raises(ValueError, match="cannot be read"):
        here.read()
    assert reader.listener.woken
    assert [event.body["message"]["body"] for event in here.told(reader)] == ["told all the same"]


def test_what_stood_before_a_break_is_told_and_counts_as_known(set_up: Set) -> None:
    here = set_up()
    ada = here.person("Ada")
    reader = here.reader(ada, here.parts.tail.end, "general")
    for body in ("first", "taken out", "last"):
        here.send(ada, "general", body)
    here.publish()
    first, second, _ = here.parts.live_log.read(here.parts.tail.end, "0-0", 0.1).entries
    here.parts.link.commands.call(lambda redis: redis.xdel("chat:events", str(second.cursor)))
    told: list[str] = []
    known: list[bool] = []
    here.parts.tail.on_news.append(lambda events, before: told.extend(one.body["message"]["body"] for one in events))
    here.parts.tail.on_doubt.append(lambda: known.append(here.parts.tail.floor >= first.cursor))
    here.read()
    assert (told, known[:1]) == (["first"], [True])
    assert [event.body["message"]["body"] for event in here.told(reader)] == ["first", "taken out", "last"]
