"""What happens to the database."""

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from contextlib import contextmanager

import psycopg

from tests.faults.load import Load
from tests.faults.process_faults import await_new_workers
from tests.faults.world import World
from tests.support.processes import wait_until

# A heartbeat every second; the promise is that it is at most 0.2 s late. Fourfold, because the machine is shared.
SILENCE_MAX_S = 1.0 + 4 * 0.2
REFUSED_WITHIN_S = 40.0

# Before the commit, after the row has its number: others commit theirs meanwhile.
SLOW_COMMITS = """
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN IF random() < 0.2 THEN PERFORM pg_sleep(random() * 0.8); END IF; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION slow();
"""
TERMINATE_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
REFUSE_RECORDS = {
    "postgres": (
        """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the laboratory refuses this'; END $$;
        CREATE TRIGGER refuse BEFORE UPDATE OF log_id ON events FOR EACH ROW EXECUTE FUNCTION refuse();
        """,
        "DROP TRIGGER refuse ON events",
    ),
    "sqlite": (
        "CREATE TRIGGER refuse BEFORE UPDATE OF log_id ON events"
        " BEGIN SELECT RAISE(ABORT, 'the laboratory refuses this'); END",
        "DROP TRIGGER refuse",
    ),
}


def lock_sqlite_shortly(world: World, load: Load) -> None:
    """Another process holds the write lock for 3 s."""
    _lock_sqlite(world, load, 3.0)


def lock_sqlite_for_long(world: World, load: Load) -> None:
    """Another process holds the write lock for 30 s."""
    _lock_sqlite(world, load, 30.0)
    world.require(load.unavailable, "no send was refused in 30 s without a writable database")


def stop_postgres(world: World, load: Load) -> None:
    """Stopped for five seconds and started again."""
    with world.fault("PostgreSQL stopped"):
        world.postgres.stop()
        world.hold(5.0)
        world.postgres.start_again()
    _streams_stayed(world, load)


def kill_postgres(world: World, load: Load) -> None:
    """kill -9 of all its processes; started again it recovers from its log."""
    with world.fault("kill -9 of PostgreSQL"):
        for process in [world.postgres.server, *world.postgres.server.children(recursive=True)]:
            process.kill()
        world.postgres.process.wait()
        world.hold(2.0)
        world.postgres.start_again()
    _streams_stayed(world, load)


def freeze_postgres(world: World, load: Load) -> None:
    """SIGSTOP of all its processes for eight seconds: connections stay and say nothing."""
    with world.fault("SIGSTOP of PostgreSQL"):
        frozen = [world.postgres.server, *world.postgres.server.children(recursive=True)]
        for process in frozen:
            process.suspend()
        world.hold(8.0)
        for process in frozen:
            process.resume()
    _streams_stayed(world, load)


def terminate_backends(world: World, load: Load) -> None:
    """pg_terminate_backend for every connection of the service, thirty times, in the middle of commits."""
    with world.fault("pg_terminate_backend"), _postgres(world) as database:
        for _ in range(30):
            database.execute(TERMINATE_OTHERS)
            world.hold(0.15)
    _streams_stayed(world, load)


def commit_slowly(world: World, load: Load) -> None:
    """One transaction of five sleeps up to 0.8 s between its insert and its commit."""
    with world.fault("slow commits"), _postgres(world) as database:
        database.execute(SLOW_COMMITS)
        load.goes_on(150, seconds=90)
        database.execute("DROP TRIGGER slow ON events")


def kill_unrecorded(world: World, load: Load) -> None:
    """What is published cannot be recorded; then kill -9 of all workers, three times."""
    install, remove = REFUSE_RECORDS[world.database]
    world.owes_answers = False
    with world.fault("published, not recorded, killed"):
        for _ in range(3):
            _execute(world, install)
            load.goes_on(15)
            before = set(world.service.workers())
            for worker in before:
                os.kill(worker, signal.SIGKILL)
            _execute(world, remove)
            await_new_workers(world, before)
            load.goes_on(15)
            if world.database == "postgres":
                _execute(world, "DROP FUNCTION refuse")


def fill_the_disk(world: World, load: Load) -> None:
    """The disk under the database is full until a send is refused, and five seconds longer."""
    with world.fault("disk full"):
        filler = world.disk / "filler"
        with filler.open("wb", buffering=0) as file:
            for size in (1 << 20, 1 << 12):
                while _writes(file.fileno(), size):
                    continue
        wait_until(lambda: load.unavailable, REFUSED_WITHIN_S, "a send refused for want of space")
        world.hold(5.0)
        filler.unlink()
        if world.database == "postgres" and world.postgres.process.popen.poll() is not None:
            # Without room for its log it ends itself; what watches over it starts it again.
            world.postgres.start_again()


def _writes(descriptor: int, size: int) -> bool:
    try:
        return os.write(descriptor, bytes(size)) > 0
    except OSError:
        return False


def _lock_sqlite(world: World, load: Load, seconds: float) -> None:
    with (
        world.fault(f"SQLite locked for {seconds:g} s"),
        closing(sqlite3.connect(world.sqlite_file, isolation_level=None, timeout=10)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        world.hold(seconds)
        other.execute("ROLLBACK")
    _streams_stayed(world, load)


def _streams_stayed(world: World, load: Load) -> None:
    """The database is away: streams stay up and go on with their heartbeats."""
    silence_s = max(reader.silence_s for reader in load.readers)
    world.notes.append(f"longest silence on a stream {silence_s:.2f} s, {load.unavailable} sends refused for now")
    world.require(silence_s < SILENCE_MAX_S, f"a stream said nothing for {silence_s:.1f} s")
    broken = sum(reader.broken for reader in load.readers)
    world.require(not broken, f"{broken} streams ended without a word")
    world.require(all(sender.told_when for sender in load.senders), "a 503 came without Retry-After")


@contextmanager
def _postgres(world: World) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    with psycopg.connect(world.database_url, autocommit=True) as connection:
        yield connection


def _execute(world: World, statement: str) -> None:
    if world.database == "postgres":
        with _postgres(world) as database:
            database.execute(statement)
        return
    with closing(sqlite3.connect(world.sqlite_file, timeout=10)) as file:
        file.executescript(statement)
