"""Places: what several workers tell one another of a user's streams and polls."""

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import gevent
import pytest
from redis.client import Pipeline

from chatapp.errors import TooManyConnections
from chatapp.receiving.places import ALIVE_PREFIX
from chatapp.receiving.places import COUNT_PREFIX
from chatapp.receiving.places import Places
from chatapp.storage.redis_link import RedisLink
from tests.support.redis_server import RedisServer
from tests.unit.conftest import Set

USER = "user"
TOLD_S = 5.0


@pytest.fixture
def link(redis_server: RedisServer) -> Iterator[RedisLink]:
    made = RedisLink(redis_server.url)
    yield made
    made.close()


@pytest.fixture
def places(link: RedisLink) -> Iterator[Places]:
    made = Places(link, workers=2, alone=False, per_user=20, per_worker=100)
    made.take(USER)
    yield made
    made.stop()


def test_a_count_that_changes_while_an_older_one_is_told_is_told_again(
    places: Places, link: RedisLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older one may be written last, because the two go over different connections."""
    execute, taken = Pipeline.execute, []

    def take_before(pipeline: Pipeline) -> Any:
        if not taken:
            taken.append(USER)
            places.take(USER)
        return execute(pipeline)

    monkeypatch.setattr(Pipeline, "execute", take_before)
    places.start()
    _until_told(link, 2)


def test_a_count_that_changes_while_it_is_asked_for_is_told_again(
    places: Places, link: RedisLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    places.take(USER)
    places.start()
    _until_told(link, 2)
    count, told = places._count, []

    def give_back_before(*args: Any) -> Any:
        if not told:
            told.append(USER)
            places.give_back(USER)
            _until(lambda: not places._untold)
        return count(*args)

    monkeypatch.setattr(places, "_count", give_back_before)
    places.take(USER)
    _until_told(link, 2)


def test_a_worker_of_another_host_counts_with_this_one(set_up: Set, shared_redis: RedisServer) -> None:
    """Each host has one worker, and knows nothing of the other."""
    here, there = (set_up(CHATAPP_MAX_CONNECTIONS_PER_USER="20").parts.places for _ in range(2))
    for places in (here, there):
        places._loop.start()
    _until(lambda: len(shared_redis.client.keys(f"{ALIVE_PREFIX}*")) == 2)
    taken = 0
    for places in (here, there) * 20:
        with suppress(TooManyConnections):
            places.take(USER)
            taken += 1
    for places in (here, there):
        places.stop()
    # Each worker's first is counted a little later.
    assert 20 <= taken <= 21


def _until_told(link: RedisLink, count: int) -> None:
    _until(lambda: link.quick.call(lambda redis: redis.hvals(COUNT_PREFIX + USER)) == [b"%d" % count])


def _until(condition: Callable[[], bool]) -> None:
    """The other greenlets go on meanwhile."""
    with gevent.Timeout(TOLD_S):
        while not condition():
            gevent.sleep(0.01)
