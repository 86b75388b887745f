"""A replica that lagged behind becomes the master, while one worker has not read all that the old one had."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chatapp.eventlog import LiveLog
from chatapp.receiving import Reader
from tests.support.moving_name import MovingName
from tests.support.processes import wait_until
from tests.support.redis_server import RedisServer
from tests.support.stage import Stage
from tests.unit.conftest import Set


class Pair:
    """Two servers, of which the second follows the first until it lags; and the name by which the first is known."""

    def __init__(self, folder: Path, name: MovingName, first: RedisServer) -> None:
        self.first = first
        self.second = RedisServer(folder)
        self.name = name
        self.second.client.replicaof("127.0.0.1", str(first.port))

    def lag(self) -> None:
        """The second has all that there is now, and hears no more."""
        wait_until(lambda: self.first.client.wait(1, 100) == 1, what="the replica")
        self.second.client.replicaof("NO", "ONE")

    def fail_over(self) -> None:
        self.name.point_to(self.second.port)
        self.first.client.replicaof("127.0.0.1", str(self.second.port))
        self.name.cut()


@pytest.fixture
def pair(tmp_path: Path, redis_server: RedisServer) -> Iterator[Pair]:
    with MovingName(redis_server.port) as name:
        pair = Pair(tmp_path / "second", name, redis_server)
        yield pair
        pair.second.stop()


def workers(pair: Pair, set_up: Set) -> tuple[Stage, Stage]:
    return set_up(REDIS_URL=pair.name.url), set_up(REDIS_URL=pair.name.url)


def resumed(stage: Stage) -> None:
    """As the loop of the tail does it, once Redis is there again."""
    for client in (stage.parts.link.commands, stage.parts.link.quick, stage.parts.link.tail):
        client.disconnect()
        client._away_until_s = 0.0
    stage.parts.tail._following = False


def said_in_between(pair: Pair, here: Stage, there: Stage) -> tuple[Reader, list[str]]:
    """One worker publishes what the other does not read, and what the replica does not get. Returns a reader of the
    other, and what it is to be told."""
    ada, bob = there.person("Ada"), there.person("Bob")
    here.read()
    pair.lag()
    reader = here.reader(bob, here.parts.tail.end)
    for number in range(3):
        there.say(ada, "general", f"{number}")
    pair.fail_over()
    resumed(here)
    resumed(there)
    return reader, ["0", "1", "2"]


def told(stage: Stage, reader: Reader) -> list[str]:
    events = [event for event in stage.told(reader) if event.type == "message.created"]
    return [event.body["message"]["body"] for event in events]


@pytest.mark.parametrize("tells", [True, False])
def test_a_worker_that_was_cut_off_reads_on_through_the_database(
    pair: Pair, set_up: Set, tells: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the run id of the server; where a managed one does not tell it, by the log being raised over what it lacks."""
    if not tells:
        monkeypatch.setattr(LiveLog, "server", lambda self: "")
    here, there = workers(pair, set_up)
    reader, said = said_in_between(pair, here, there)
    if not tells:
        there.read()
    here.read()
    assert told(here, reader) == said


def test_what_is_published_next_shows_that_something_is_missing(
    pair: Pair, set_up: Set, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other worker has not looked yet, and publishes: the log goes on above what only it knows of."""
    monkeypatch.setattr(LiveLog, "server", lambda self: "")
    here, there = workers(pair, set_up)
    eve = there.person("Eve")
    reader, said = said_in_between(pair, here, there)
    there.send(eve, "general", "next")
    there.publish()
    here.read()
    assert told(here, reader) == [*said, "next"]


def test_a_tail_leaves_a_server_that_became_a_replica(pair: Pair, set_up: Set) -> None:
    """Its connection stays open, and what is published elsewhere comes late or never."""
    here, there = workers(pair, set_up)
    ada, bob = there.person("Ada"), there.person("Bob")
    here.read()
    reader = here.reader(bob, here.parts.tail.end)
    pair.lag()
    pair.name.point_to(pair.second.port)
    pair.first.client.replicaof("127.0.0.1", str(pair.second.port))
    with pytest.raises(ConnectionError):
        here.parts.live_log.server()
    resumed(there)
    there.say(ada, "general", "on the new one")
    resumed(here)
    here.read()
    assert told(here, reader) == ["on the new one"]


def test_a_full_server_keeps_a_shorter_log(set_up: Set, redis_server: RedisServer) -> None:
    """Otherwise nothing would be live any more until somebody comes."""
    stage = set_up(REDIS_URL=redis_server.url)
    ada = stage.person("Ada")
    for number in range(300):
        stage.send(ada, "general", f"{number}" + "x" * 4000)
    stage.settle()
    before = redis_server.client.xlen("chat:events")
    redis_server.client.config_set("maxmemory", redis_server.client.info("memory")["used_memory"])
    since = stage.parts.tail.end
    stage.say(ada, "general", "live all the same")
    assert stage.bodies(ada, since) == ["live all the same"]
    assert redis_server.client.xlen("chat:events") <= before // 2 + 10
