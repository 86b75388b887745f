"""What happens to the service's own processes."""

import os
import random
import signal
import socket
import time

import psutil

from tests.faults.load import Load
from tests.faults.world import World
from tests.support.processes import wait_until

# A worker is back, and its readers with it, well within this.
RESPAWN_S = 20.0
# A master that was killed leaves nothing behind after this.
ORPHANS_GONE_S = 5.0


def kill_workers(world: World, load: Load) -> None:
    """kill -9 of a random worker, five times."""
    world.owes_answers = False
    with world.fault("kill -9 of a worker"):
        for _ in range(5):
            before = set(world.service.workers())
            os.kill(random.choice(sorted(before)), signal.SIGKILL)
            await_new_workers(world, before, 1)
            load.goes_on(30)


def kill_master(world: World, load: Load) -> None:
    """kill -9 of the master, and of the one after it; each time a supervisor starts it again."""
    world.owes_answers = False
    with world.fault("kill -9 of the master"):
        for _ in range(2):
            family = psutil.Process(world.service.process.pid).children(recursive=True)
            world.service.kill()
            killed_s = time.monotonic()
            _await_end(family, world.service.port)
            took_s = time.monotonic() - killed_s
            world.notes.append(f"no orphan and a free port after {took_s:.1f} s")
            world.require(took_s < ORPHANS_GONE_S, f"processes of a killed master lived for {took_s:.1f} s")
            world.service.start_again()
            load.goes_on(30)


def restart(world: World, load: Load) -> None:
    """SIGTERM, and start again."""
    world.owes_answers = False
    with world.fault("SIGTERM"):
        stopped_s = time.monotonic()
        world.service.stop()
        took_s = time.monotonic() - stopped_s
        world.notes.append(f"stopped in {took_s:.1f} s")
        world.service.start_again()
        load.goes_on(30)


def hang_up(world: World, load: Load) -> None:
    """SIGHUP: new workers in place of the old ones."""
    # One may be on its way on a connection that is being closed: then it is sent again.
    world.owes_answers = False
    with world.fault("SIGHUP"):
        before = set(world.service.workers())
        world.service.process.signal(signal.SIGHUP)
        wait_until(lambda: not before & set(world.service.workers()), RESPAWN_S, "the new workers")
        load.goes_on(30)
    world.require(not any(sender.not_connected for sender in load.senders), "a connection was refused")


def stop_a_worker(world: World, load: Load) -> None:
    """SIGSTOP of one worker for six seconds."""
    with world.fault("SIGSTOP of a worker"):
        stopped = psutil.Process(world.service.workers()[0])
        stopped.suspend()
        world.hold(6.0)
        stopped.resume()
        load.goes_on(30)


def step_clock(world: World, load: Load) -> None:
    """The service's clock one hour ahead, right, one hour back, right again."""
    with world.fault("the service's clock"):
        for offset in ("+1h", "+0", "-1h", "+0"):
            world.set_clock(offset)
            load.goes_on(30)


def await_new_workers(world: World, before: set[int], count: int | None = None) -> None:
    """Wait until all of these workers, or `count` of them, were replaced."""
    wanted = len(before) if count is None else count

    def there() -> bool:
        now = set(world.service.workers())
        return len(now) == len(before) and len(now - before) >= wanted

    wait_until(there, RESPAWN_S, "the next worker")


def _await_end(processes: list[psutil.Process], port: int) -> None:
    """Wait until none of them lives and the port is free: another thread may keep it a little longer."""
    wait_until(lambda: not any(map(_lives, processes)), RESPAWN_S, "the end of what the master had started")
    wait_until(lambda: _is_free(port), RESPAWN_S, "a free port")


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
