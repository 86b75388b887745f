"""What happens to Redis."""

import signal
import time

import redis

from tests.faults.load import Load
from tests.faults.world import World

# The promise: while Redis is away, 99 of 100 sends are answered within a second. Fourfold: the machine is shared.
SEND_P99_S = 4 * 1.0
MAXLEN_SMALL = 10
CLOCK_AWAY_MIN_S = 3500


def kill(world: World, load: Load) -> None:
    """kill -9, away for five seconds, started again empty."""
    with world.fault("kill -9 of Redis"):
        world.redis.process.kill()
        load.goes_on(60)
        world.hold(5.0)
        world.redis.start_again()
    _sends_were_answered(world, load)


def kill_again_and_again(world: World, load: Load) -> None:
    """kill -9 and an empty start, five times in a row."""
    with world.fault("kill -9 of Redis, five times"):
        for _ in range(5):
            world.redis.process.kill()
            load.goes_on(5)
            world.redis.start_again()
            load.goes_on(10)


def stay_away(world: World, load: Load) -> None:
    """kill -9; 300 messages are stored before it is there again, empty."""
    _stay_away(world, load, 300)


def stay_away_for_long(world: World, load: Load) -> None:
    """The same with 2,500 messages."""
    _stay_away(world, load, 2_500)


def flush(world: World, load: Load) -> None:
    """FLUSHALL under blocked readers, three times."""
    with world.fault("FLUSHALL"):
        for _ in range(3):
            world.redis.client.flushall()
            load.goes_on(30)


def stall(world: World, load: Load) -> None:
    """SIGSTOP for 20 s."""
    with world.fault("SIGSTOP of Redis"):
        world.redis.process.signal(signal.SIGSTOP)
        world.hold(20.0)
        world.redis.process.signal(signal.SIGCONT)
    _sends_were_answered(world, load)


def flush_with_clock_ahead(world: World, load: Load) -> None:
    """Clock one hour ahead, FLUSHALL, right again."""
    _clock(world, load, "+1h")


def flush_with_clock_back(world: World, load: Load) -> None:
    """Clock one hour back, FLUSHALL, right again."""
    _clock(world, load, "-1h")


def trim(world: World, load: Load) -> None:
    """The log cut to ten entries, ten times, while readers come and go."""
    with world.fault("XTRIM"):
        for _ in range(10):
            world.redis.client.xtrim("chat:events", maxlen=MAXLEN_SMALL, approximate=False)
            load.goes_on(20)


def say_much_and_trim(world: World, load: Load) -> None:
    """1,200 messages at once, then the log cut to ten entries: who was away reads them from the database."""
    with world.fault("1,200 messages, XTRIM"):
        load.burst(1200)
        world.redis.client.xtrim("chat:events", maxlen=MAXLEN_SMALL, approximate=False)
        load.goes_on(30)


def lose_the_log(world: World, load: Load) -> None:
    """Only the log is deleted, then only the memory of what was published."""
    with world.fault("DEL chat:events"):
        world.redis.client.delete("chat:events")
        load.goes_on(30)
        for key in world.redis.client.scan_iter("chat:published*"):
            world.redis.client.delete(key)
        load.goes_on(30)


def refuse_writes(world: World, load: Load) -> None:
    """Made a replica of nobody, so that it refuses writes, for five seconds; then master again."""
    with world.fault("REPLICAOF"):
        world.redis.client.replicaof("127.0.0.1", "1")
        world.require(_refuses(world), "Redis took a write as a replica")
        world.hold(5.0)
        world.redis.client.replicaof("NO", "ONE")
        load.goes_on(30)


def out_of_memory(world: World, load: Load) -> None:
    """maxmemory below what is used, so that it refuses writes, for five seconds."""
    with world.fault("maxmemory"):
        world.redis.client.config_set("maxmemory", "1mb")
        world.require(_refuses(world), "Redis took a write beyond its memory")
        world.hold(5.0)
        world.redis.client.config_set("maxmemory", "0")
        load.goes_on(30)


def _stay_away(world: World, load: Load, messages: int) -> None:
    with world.fault("kill -9 of Redis"):
        world.redis.process.kill()
        load.burst(messages)
        world.redis.start_again()
        load.goes_on(30)


def _clock(world: World, load: Load, offset: str) -> None:
    with world.fault(f"Redis's clock {offset}, FLUSHALL"):
        world.set_clock(offset)
        away_s = abs(world.redis.client.time()[0] - time.time())
        world.require(away_s > CLOCK_AWAY_MIN_S, f"Redis's clock is only {away_s:.0f} s away")
        load.goes_on(30)
        world.redis.client.flushall()
        load.goes_on(30)
        world.set_clock("+0")
        load.goes_on(30)
        world.redis.client.flushall()
        load.goes_on(30)


def _refuses(world: World) -> bool:
    try:
        world.redis.client.set("laboratory", "1")
    except redis.ResponseError:
        return True
    return False


def _sends_were_answered(world: World, load: Load) -> None:
    p99_s = load.answered_s(0.99)
    world.require(p99_s < SEND_P99_S, f"with Redis away, 99 of 100 sends were answered within {p99_s:.1f} s only")
