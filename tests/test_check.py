"""`chatapp check`: each finding against real servers and files that are wrong in that way."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import ExitStack
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import psycopg
import pytest
from flask_migrate import upgrade
from sqlalchemy import create_engine

from chatapp.command import check as checks
from chatapp.command.check import clock
from chatapp.command.check import folder
from chatapp.command.check import postgres as postgres_check
from chatapp.command.check import redis_server as redis_check
from chatapp.command.check import revision
from chatapp.command.check import sqlite_file
from chatapp.command.check.finding import Finding
from chatapp.command.check.finding import Level
from chatapp.command.check.finding import ok
from chatapp.config import Config
from chatapp.server import data_lock
from chatapp.server import private_files
from chatapp.storage import MIGRATIONS
from chatapp.storage.models import db
from chatapp.web import create_app
from tests.support.postgres import Postgres
from tests.support.processes import Process
from tests.support.processes import binary
from tests.support.processes import free_port
from tests.support.processes import wait_until
from tests.support.redis_server import RedisServer
from tests.support.service import ROOT
from tests.support.silent import silent

Look = Callable[[Config], Iterator[Finding]]
# The newest migration.
NEWEST = "0013"
SECRET = "a secret that is long enough"


@dataclass
class Answer:
    status: int
    lines: list[tuple[str, str, str]]

    def has(self, level: str, part: str, text: str) -> bool:
        return any((level, part) == line[:2] and text in line[2] for line in self.lines)

    def troubles(self) -> list[tuple[str, str, str]]:
        return [line for line in self.lines if line[0] != "ok"]


def check(data: Path, *prefix: str, **settings: str) -> Answer:
    """The command as an operator runs it, with nothing in the environment but the settings."""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "CHATAPP_DATA": str(data), **settings}
    command = [*prefix, sys.executable, "-m", "chatapp", "check"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=30)
    assert done.stderr == ""
    lines = []
    for line in done.stdout.splitlines():
        level, part, text = re.split(" {2,}", line, maxsplit=2)
        lines.append((level, part, text))
    assert done.returncode == any(level == "error" for level, _, _ in lines), done.stdout
    return Answer(done.returncode, lines)


def upgraded(**settings: str) -> None:
    app = create_app(Config.from_environ(settings))
    with app.app_context():
        upgrade()
        db.engine.dispose()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a database as the service leaves it."""
    upgraded(CHATAPP_DATA=str(tmp_path / "data"))
    return tmp_path / "data"


def test_before_the_first_start_nothing_is_wrong_and_nothing_is_made(tmp_path: Path) -> None:
    answer = check(tmp_path / "data")
    assert answer.troubles() == []
    assert answer.has("ok", "embedded Redis", "not running")
    assert answer.has("ok", "sockets", "wsgi.py patches them")
    assert list(tmp_path.iterdir()) == []


def test_a_running_sqlite_service_is_looked_at_and_left_alone(data: Path) -> None:
    """A service as far as the check can see it: its locks and its Redis."""
    sock = data / "redis.sock"
    command = [binary("redis-server"), "--port", "0", "--unixsocket", str(sock), "--save", "", "--dir", str(data)]
    with ExitStack() as stack:
        stack.enter_context(data_lock.hold(data / "redis.lock", "CHATAPP_DATA"))
        stack.enter_context(data_lock.hold(data / "chat.db.lock", "DATABASE_URL"))
        server = Process(command, data.parent / "redis.log")
        stack.callback(server.stop)
        writer = stack.enter_context(closing(sqlite3.connect(data / "chat.db")))
        writer.execute("DELETE FROM users").close()
        wait_until(sock.exists, what="Redis")
        for path in private_files.open_to_others(Config.from_environ({"CHATAPP_DATA": str(data)})):
            path.chmod(0o700 if path.is_dir() else 0o600)
        before = sorted(data.iterdir())
        answer = check(data)
        assert sorted(data.iterdir()) == before
        assert server.popen.poll() is None
    assert answer.troubles() == []
    assert answer.has("ok", "CHATAPP_DATA", "a service runs on it")
    assert answer.has("ok", "embedded Redis", "Redis answers in")
    assert answer.has("ok", "schema", "the newest")


def test_everything_wrong_on_one_machine(data: Path, tmp_path: Path) -> None:
    (data / "secret_key").chmod(0o644)
    with closing(sqlite3.connect(data / "chat.db")) as connection:
        connection.execute("PRAGMA journal_mode=DELETE").close()
        connection.execute("UPDATE alembic_version SET version_num = '9999'").close()
        connection.commit()
    agent = tmp_path / "agent"
    agent.mkdir()
    (agent / "sitecustomize.py").write_text("import redis\n")
    answer = check(
        data,
        binary("prlimit"),
        "--nofile=512:4000",
        PYTHONPATH=f"{ROOT}:{agent}",
        HOST="0.0.0.0",
        WEB_CONCURRENCY="2",
        CHATAPP_MAX_CONNECTIONS="5000",
        CHATAPP_JWT_SECRET="sesame",
        GUNICORN_CMD_ARGS="-k sync --preload -w 9 --max-requests 5 --worker-connections 10 -c other.py",
        REDIS_URL=f"redis://:open-sesame@127.0.0.1:{free_port()}/0",
    )
    assert answer.status == 1
    for expected in [
        ("warning", "CHATAPP_ENV", "0.0.0.0"),
        ("warning", "CHATAPP_JWT_SECRET", "32 bytes"),
        ("error", "SECRET_KEY", "chmod 600"),
        ("warning" if sqlite3.sqlite_version_info < (3, 51, 3) else "ok", "DATABASE_URL", "one process at a time"),
        ("error", "DATABASE_URL", "no write-ahead log"),
        ("error", "schema", "revision 9999 is unknown"),
        ("error", "REDIS_URL", "Connection refused"),
        ("warning", "file limit", "ulimit -Hn 6000, LimitNOFILE=6000"),
        ("error", "GUNICORN_CMD_ARGS", "worker class sync"),
        ("error", "GUNICORN_CMD_ARGS", "--preload"),
        ("error", "GUNICORN_CMD_ARGS", "9 workers"),
        ("warning", "GUNICORN_CMD_ARGS", "--max-requests"),
        ("error", "GUNICORN_CMD_ARGS", "10 worker connections"),
        ("error", "GUNICORN_CMD_ARGS", "other.py"),
        ("error", "sockets", "redis is imported before"),
    ]:
        assert answer.has(*expected), f"{expected} in {answer.lines}"
    assert "sesame" not in str(answer.lines)


def test_a_wrong_setting_is_one_line(tmp_path: Path) -> None:
    answer = check(tmp_path, WEB_CONCURRENCY="many")
    assert answer.lines == [("error", "WEB_CONCURRENCY", "'many' is not a whole number")]


def test_files_that_may_not_be_written(data: Path, tmp_path: Path) -> None:
    """And a Redis whose INFO is forbidden, behind a password."""
    server = RedisServer(tmp_path / "redis")
    (data / "chat.db").chmod(0o400)
    data.chmod(0o500)
    # Root without this capability is stopped by permissions like everyone else.
    prefix = [binary("setpriv"), "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
    try:
        server.client.acl_setuser("chat", enabled=True, passwords=["+sesame"], keys="*", commands=["+@all", "-info"])
        answer = check(data, *prefix, REDIS_URL=f"redis://chat:sesame@127.0.0.1:{server.port}/0")
    finally:
        data.chmod(0o700)
        server.stop()
    assert answer.has("error", "CHATAPP_DATA", "no folder that may be written")
    assert answer.has("error", "DATABASE_URL", f"{data}, {data}/chat.db may not be written")
    assert answer.has("ok", "schema", "the newest")
    assert answer.has("warning", "REDIS_URL", "INFO cannot be asked")
    assert answer.has("ok", "REDIS_URL", "its clock and this machine's")


def test_a_redis_that_breaks_promises(tmp_path: Path) -> None:
    """A replica that evicts, and holds another program's data; the service is in production behind nothing."""
    master = RedisServer(tmp_path / "master", ("redis-server", "--repl-diskless-sync-delay", "0"))
    options = ["--maxmemory", "10mb", "--maxmemory-policy", "allkeys-lru"]
    replica = RedisServer(
        tmp_path / "replica", ("redis-server", *options, "--replicaof", "127.0.0.1", str(master.port))
    )
    try:
        master.client.set("chat:events", "something else")
        wait_until(lambda: replica.client.exists("chat:events"), what="the replica's copy")
        answer = check(tmp_path / "data", REDIS_URL=replica.url, CHATAPP_ENV="production", SECRET_KEY=SECRET)
    finally:
        replica.stop()
        master.stop()
    assert answer.has("error", "REDIS_URL", "maxmemory-policy allkeys-lru")
    assert answer.has("error", "REDIS_URL", "READONLY")
    assert answer.has("error", "REDIS_URL", "chat:events is a string")
    assert answer.has("warning", "CHATAPP_PROXIES", "one address")


def test_a_healthy_postgres(postgres: Postgres, redis_server: RedisServer, tmp_path: Path) -> None:
    settings = {"DATABASE_URL": postgres.database(), "CHATAPP_ENV": "production", "SECRET_KEY": SECRET}
    upgraded(CHATAPP_DATA=str(tmp_path), **settings)
    answer = check(tmp_path, REDIS_URL=redis_server.url, CHATAPP_PROXIES="1", WEB_CONCURRENCY="4", **settings)
    assert answer.troubles() == []
    assert answer.has("ok", "DATABASE_URL", "40 connections (4 × 10), 497 allowed")
    assert answer.has("ok", "schema", f"revision {NEWEST}, the newest")


def test_a_postgres_that_cannot_serve(postgres: Postgres, tmp_path: Path) -> None:
    """Read only, LATIN1, stamped by a newer version, asked for too much; and a Redis in cluster mode."""
    url = postgres.database()
    name = url.rpartition("/")[2]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}_old ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with psycopg.connect(f"{url}_old", autocommit=True) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num text)")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
        connection.execute(f"ALTER DATABASE {name}_old SET default_transaction_read_only = on")
    cluster = RedisServer(
        tmp_path / "redis", ("redis-server", "--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    )
    try:
        answer = check(tmp_path, DATABASE_URL=f"{url}_old", REDIS_URL=cluster.url, WEB_CONCURRENCY="60")
    finally:
        cluster.stop()
    assert answer.has("error", "DATABASE_URL", "set to read only")
    assert answer.has("error", "DATABASE_URL", "encoding LATIN1")
    assert answer.has("error", "DATABASE_URL", "600 connections (60 × 10), 497 allowed")
    assert answer.has("error", "schema", "revision 9999 is unknown")
    assert answer.has("error", "REDIS_URL", "a cluster")


def test_with_everything_away_it_ends_soon_and_prints_no_password(tmp_path: Path) -> None:
    started_s = time.monotonic()
    with silent() as port:
        answer = check(
            tmp_path,
            DATABASE_URL=f"postgresql://chat:open%20sesame@127.0.0.1:{port}/chat",
            REDIS_URL=f"redis://:open-sesame@127.0.0.1:{port}/0",
        )
    # All are asked side by side, and each has its time-out: 8 s in all, and fourfold room.
    assert time.monotonic() - started_s < 32
    assert answer.has("error", "DATABASE_URL", "PostgreSQL cannot be used: ")
    assert answer.has("error", "REDIS_URL", "Redis does not answer: ")
    assert "sesame" not in str(answer.lines)


def test_a_database_address_that_cannot_be_read_is_not_quoted(tmp_path: Path) -> None:
    settings = {"CHATAPP_DATA": str(tmp_path), "DATABASE_URL": "postgresql://chat@h:sesame/chat"}
    (finding,) = postgres_check.look(Config.from_environ(settings))
    assert (finding.level, finding.part) == ("error", "DATABASE_URL")
    assert "cannot be read as an address" in finding.text
    assert "sesa" not in finding.text


@pytest.mark.parametrize("database", ["postgres", "sqlite"])
def test_a_schema_that_is_behind(database: str, postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.database() if database == "postgres" else f"sqlite:///{tmp_path / 'chat.db'}"
    newer = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, newer)
    (newer / "versions" / "9999_next.py").write_text(f'revision = "9999"\ndown_revision = "{NEWEST}"\n')
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        assert revision.look(connection).level is Level.WARNING
    upgraded(CHATAPP_DATA=str(tmp_path), DATABASE_URL=url)
    with engine.connect() as connection:
        behind = revision.look(connection, newer)
        assert behind.level is Level.ERROR
        assert behind.text == f"revision {NEWEST} is behind 9999: run chatapp upgrade"
        connection.exec_driver_sql("DELETE FROM alembic_version")
        assert "tables without a revision" in revision.look(connection).text
    engine.dispose()


@pytest.mark.parametrize(
    ("ahead_s", "level"),
    [(0.9, "ok"), (-0.9, "ok"), (1.1, "warning"), (-59, "warning"), (61, "error"), (-61, "error")],
)
def test_clocks(ahead_s: float, level: str) -> None:
    assert clock.judge("REDIS_URL", ahead_s).level == level


def test_versions_and_memory() -> None:
    """What would take an old or a full server."""
    assert [redis_check._version("", one).level for one in ("6.0.16", "6.2.0", "10.0")] == ["error", "ok", "ok"]
    assert [postgres_check._version(one).level for one in (90_624, 140_001, 150_004)] == ["error", "warning", "ok"]
    memory = [("allkeys-lru", 0, 5), ("noeviction", 100, 91), ("noeviction", 100, 50), ("noeviction", 0, 50)]
    assert [redis_check._memory("", *one).level for one in memory] == ["warning", "warning", "ok", "ok"]
    assert [postgres_check._connections(1, allowed).level for allowed in (9, 19, 20)] == ["error", "warning", "ok"]


def test_the_data_folder_is_closed_by_the_start_and_said_to_be_open_before(data: Path) -> None:
    """Whoever made it, with whatever umask: it holds every message, and the secret of all sessions."""
    config = Config.from_environ({"CHATAPP_DATA": str(data)})
    data.chmod(0o755)
    for name in ("chat.db", "secret_key"):
        (data / name).chmod(0o644)
    (data / "not-ours").touch(0o644)
    said = [finding.text for finding in folder.look(config) if finding.level == "warning"]
    assert said == [
        f"{path} is open to others on this machine: chmod {mode} it"
        for path, mode in ((data, 700), (data / "secret_key", 600), (data / "chat.db", 600))
    ]
    umask = os.umask(0o022)
    try:
        private_files.close(config)
        (data / "chat.db-wal").touch()
    finally:
        os.umask(umask)
    assert [finding.level for finding in folder.look(config)] == ["ok"] * 2
    modes = {path.name: path.stat().st_mode & 0o777 for path in (data, *data.iterdir())}
    assert modes == {
        data.name: 0o700,
        "chat.db": 0o600,
        "chat.db-wal": 0o600,
        "secret_key": 0o600,
        "not-ours": 0o644,
    }


def test_looking_at_a_stopped_sqlite_makes_no_file(data: Path) -> None:
    """Also where its log was copied without the index, which SQLite would make."""
    config = Config.from_environ({"CHATAPP_DATA": str(data)})
    before = sorted(data.iterdir())
    assert [finding.level for finding in sqlite_file.look(config)] == ["ok"] * 4
    assert sorted(data.iterdir()) == before
    (data / "chat.db-wal").touch()
    assert [finding.text for finding in sqlite_file.look(config) if finding.level == "warning"] == [
        f"not looked at: {data}/chat.db-wal lies there without -shm, as after copying; start the service"
    ]
    assert sorted(data.iterdir()) == [data / "chat.db", data / "chat.db-wal", data / "secret_key"]
    (data / "chat.db").write_text("no database")
    assert any("is no SQLite database" in finding.text for finding in sqlite_file.look(config))


@pytest.mark.parametrize(("free_mib", "level"), [(1024, "ok"), (1023, "warning"), (49, "error")])
def test_disks(free_mib: int, level: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free_mib * 1024 * 1024))
    assert sqlite_file._disk(tmp_path).level == level


def test_a_part_that_hangs_or_fails_is_a_finding(tmp_path: Path) -> None:
    """As where a name server does not answer, which no driver bounds."""
    config = Config.from_environ({"CHATAPP_DATA": str(tmp_path)})
    gate = Event()

    def hang(_: Config) -> Iterator[Finding]:
        yield ok("disk", "room")
        gate.wait()

    def fail(_: Config) -> Iterator[Finding]:
        yield ok("disk", "room")
        raise RuntimeError("first\nsecond")

    hanging, failing = checks._Part("REDIS_URL", hang, config), checks._Part("REDIS_URL", fail, config)
    hanging.start()
    failing.start()
    texts = [finding.text for finding in failing.until(time.monotonic() + 10)]
    assert texts == ["room", "cannot be checked: RuntimeError: first"]
    texts = [finding.text for finding in hanging.until(time.monotonic())]
    assert texts == ["room", "no answer within 10 s: see that its address is right"]
    gate.set()


@pytest.mark.parametrize(
    "url",
    ["redis://chat:open%20sesame@h/0", "unix:///s?password=open%20sesame", "redis://h"],
)
def test_whatever_quotes_a_secret_is_printed_without_it(url: str, tmp_path: Path) -> None:
    settings = {"CHATAPP_DATA": str(tmp_path), "REDIS_URL": url, "SECRET_KEY": SECRET, "CHATAPP_JWT_SECRET": "sesame"}
    hidden = checks._secrets(Config.from_environ(settings))
    assert "sesame" not in checks._without(hidden, f"cannot connect to {url} with 'open sesame' and sesame")
    assert SECRET not in checks._without(hidden, f"the key {SECRET}")
