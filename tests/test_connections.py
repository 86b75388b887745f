"""Connections: what several workers tell one another of a user's streams and polls."""

from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from redis.client import Pipeline

from chatapp.connections import COUNT_PREFIX
from chatapp.connections import Connections
from chatapp.redis_link import RedisLink
from tests.support.redis_server import RedisServer

USER = "user"
TOLD_S = 5.0


@pytest.fixture
def link(redis_server: RedisServer) -> Iterator[RedisLink]:
    made = RedisLink(redis_server.url)
    yield made
    made.close()


@pytest.fixture
def connections(link: RedisLink) -> Iterator[Connections]:
    made = Connections(link, workers=2, per_user=20, per_worker=100)
    made.take(USER)
    yield made
    made.stop()


def test_a_count_that_changes_while_an_older_one_is_told_is_told_again(
    connections: Connections, link: RedisLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older one may be written last, for the two go over different connections."""
    execute, taken = Pipeline.execute, []

    def take_before(pipeline: Pipeline) -> Any:
        if not taken:
            taken.append(USER)
            connections.take(USER)
        return execute(pipeline)

    monkeypatch.setattr(Pipeline, "execute", take_before)
    connections.start()
    _until_told(link, 2)


def test_a_count_that_changes_while_it_is_asked_for_is_told_again(
    connections: Connections, link: RedisLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections.take(USER)
    connections.start()
    _until_told(link, 2)
    count, told = connections._count, []

    def give_back_before(*args: Any) -> Any:
        if not told:
            told.append(USER)
            connections.give_back(USER)
            _until(lambda: not connections._untold)
        return count(*args)

    monkeypatch.setattr(connections, "_count", give_back_before)
    connections.take(USER)
    _until_told(link, 2)


def _until_told(link: RedisLink, count: int) -> None:
    _until(lambda: link.quick.call(lambda redis: redis.hvals(COUNT_PREFIX + USER)) == [b"%d" % count])


def _until(condition: Callable[[], bool]) -> None:
    """The other greenlets go on meanwhile."""
    with gevent.Timeout(TOLD_S):
        while not condition():
            gevent.sleep(0.01)
