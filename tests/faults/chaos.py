"""Everything at once: one fault after another, at random, without waiting for any of them."""

import os
import random
import signal
from collections.abc import Callable
from contextlib import suppress

import psycopg

from tests.faults.database_faults import TERMINATE_OTHERS
from tests.faults.load import Load
from tests.faults.world import World

FAULTS = 30
PAUSE_S = (0.1, 1.0)


def chaos(world: World, load: Load) -> None:
    """30 faults within half a minute; then everything is made whole."""
    faults: list[Callable[[World], None]] = [_kill_worker, _stop_worker, _flush, _restart_redis, _stop_redis, _cut]
    if world.database == "postgres":
        faults.append(_terminate_backends)
    world.owes_answers = False
    with world.fault("one fault after another"):
        for fault in random.choices(faults, k=FAULTS):
            world.history.record("nemesis", "fault", "info", what=fault.__name__)
            fault(world)
            world.hold(random.uniform(*PAUSE_S))
    load.goes_on(30, seconds=60)


def _some_worker(world: World) -> int | None:
    workers = world.service.workers()
    return random.choice(workers) if workers else None


def _kill_worker(world: World) -> None:
    worker = _some_worker(world)
    if worker is not None:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)


def _stop_worker(world: World) -> None:
    worker = _some_worker(world)
    if worker is not None:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGSTOP)
            world.hold(1.0)
            os.kill(worker, signal.SIGCONT)


def _flush(world: World) -> None:
    world.redis.client.flushall()


def _restart_redis(world: World) -> None:
    world.redis.process.kill()
    world.hold(random.uniform(*PAUSE_S))
    world.redis.start_again()


def _stop_redis(world: World) -> None:
    world.redis.process.signal(signal.SIGSTOP)
    world.hold(1.5)
    world.redis.process.signal(signal.SIGCONT)


def _cut(world: World) -> None:
    world.proxy.cut_now()


def _terminate_backends(world: World) -> None:
    with psycopg.connect(world.database_url, autocommit=True) as connection:
        connection.execute(TERMINATE_OTHERS)
