"""What happens to one of several hosts, and to the servers that they share."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from tests.faults.hosts import Host
from tests.faults.load import Load
from tests.faults.world import World
from tests.support.moving_name import MovingName
from tests.support.packets import losing_packets

CUT_S = 8.0
FAR_S = 15.0
LOSSY_S = 20.0
LOST_PART = 0.02
# There and back: between two cities, and between two continents.
NEAR_CITY_S, FAR_CITY_S = 0.05, 0.2


def kill_a_host(world: World, load: Load) -> None:
    """kill -9 of all that runs on one, twice; later it is there again."""
    world.owes_answers = False
    with world.fault("kill -9 of a host"):
        for _ in range(2):
            world.hosts.all[1].kill()
            load.goes_on(30)
            world.hosts.all[1].start_again()
            load.goes_on(30)


def cut_from_redis(world: World, load: Load) -> None:
    """One host has no way to Redis; the others have."""
    _cut(world, load, lambda host: host.to_redis)


def cut_from_database(world: World, load: Load) -> None:
    """One host has no way to the database; the others have."""
    _cut(world, load, lambda host: host.to_database)


def far_away(world: World, load: Load) -> None:
    """One host is 50 ms away from Redis and the database, then 200 ms."""
    with world.fault("a host is far away"):
        for there_and_back_s in (NEAR_CITY_S, FAR_CITY_S):
            _delay(world.hosts.all[1], there_and_back_s / 2)
            world.hold(FAR_S)
            load.goes_on(30)
    _delay(world.hosts.all[1], 0.0)


def lose_packets(world: World, load: Load) -> None:
    """Of all packets between one host and Redis or the database every fiftieth is lost, on both ways."""
    with world.fault("packets are lost"), ExitStack() as ended:
        for relay in (world.hosts.all[1].to_redis, world.hosts.all[1].to_database):
            ended.enter_context(losing_packets(_there(relay).port, LOST_PART))
        world.hold(LOSSY_S)
        load.goes_on(30)


def fail_over_redis(world: World, load: Load) -> None:
    """kill -9 of the primary; its Sentinels make the replica one."""
    with world.fault("kill -9 of the Redis primary"):
        world.sentinels.primary.process.kill()
        load.goes_on(60)


def fail_over_database(world: World, load: Load) -> None:
    """kill -9 of the primary; its synchronous standby is promoted."""
    with world.fault("kill -9 of the PostgreSQL primary"):
        for process in [world.postgres.server, *world.postgres.server.children(recursive=True)]:
            process.kill()
        world.hold(2.0)
        world.standby.ask("SELECT pg_promote()")
        load.goes_on(60)


def _cut(world: World, load: Load, way: Callable[[Host], MovingName | None]) -> None:
    relay = _there(way(world.hosts.all[1]))
    with world.fault("a host is cut off"):
        relay.cut_off()
        load.goes_on(30)
        world.hold(CUT_S)
        relay.lead_back()


def _delay(host: Host, seconds: float) -> None:
    for relay in (host.to_redis, host.to_database):
        _there(relay).delay_s = seconds


def _there(relay: MovingName | None) -> Any:
    assert relay is not None
    return relay
