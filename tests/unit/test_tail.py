"""Tail: what a worker remembers ends with what it heard."""

from typing import Any

import gevent
import pytest

from chatapp.errors import RedisAway
from chatapp.wire import Cursor
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
