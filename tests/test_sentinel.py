"""Redis as others give it: found by its Sentinels, behind TLS, with passwords, ACLs and commands under other names."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.conftest import Start
from tests.support.certificate import certificate_in
from tests.support.followers import StreamFollower
from tests.support.open_folder import open_folder
from tests.support.person import Person
from tests.support.processes import free_port
from tests.support.processes import wait_until
from tests.support.redis_server import RedisServer
from tests.support.sentinel import Sentinels
from tests.support.service import Service
from tests.test_failover import said_next

# After the primary was killed, everything is live again within five seconds; fourfold room.
LIVE_AGAIN_S = 5.0 * 4


@pytest.fixture
def sentinels() -> Iterator[Sentinels]:
    with open_folder() as folder:
        watched = Sentinels(folder)
        yield watched
        watched.stop()


def is_live(service: Service) -> None:
    """What is sent is heard at once, by a stream, with its place in the log."""
    with Person(service.url, "Ada") as ada, Person(service.url, "Bob") as bob:
        follower = StreamFollower(bob)
        assert ada.send("general", "hello")["cursor"]
        assert said_next(follower) == "hello"
        follower.close()
    assert service.ready()
    assert "Traceback" not in service.log()


def test_what_is_said_while_the_primary_is_killed_is_live_soon(start_service: Start, sentinels: Sentinels) -> None:
    service = start_service("postgres", REDIS_URL=sentinels.url, CHATAPP_RATE_BURST="1000")
    with Person(service.url, "Ada") as ada, Person(service.url, "Bob") as bob:
        follower = StreamFollower(bob)
        ada.send("general", "before")
        assert said_next(follower) == "before"
        sentinels.primary.process.kill()
        killed_s = time.monotonic()
        said = [f"{number}" for number in range(30)]
        for body in said:
            assert ada.post("general", body).status_code == 201
        assert [said_next(follower) for _ in said] == said
        wait_until(service.ready, LIVE_AGAIN_S, "readyz")
        print(f"live again after {time.monotonic() - killed_s:.1f} s")
        assert time.monotonic() - killed_s < LIVE_AGAIN_S
        assert ada.send("general", "after")["cursor"]
        assert said_next(follower) == "after"
        follower.close()
    assert "Traceback" not in service.log()
    service.stop()


def test_a_sentinel_that_is_silent_or_gone_stops_nobody(start_service: Start, sentinels: Sentinels) -> None:
    sentinels.processes[0].signal(signal.SIGSTOP)
    sentinels.processes[1].kill()
    service = start_service("sqlite", REDIS_URL=sentinels.url)
    is_live(service)
    service.stop()


@pytest.mark.parametrize("password", ["p@ss/w:rd#100%", "ключ ?&="])
def test_a_password_of_any_characters(start_service: Start, tmp_path: Path, password: str) -> None:
    server = RedisServer(tmp_path / "redis", ("redis-server", "--requirepass", password), password=password)
    try:
        service = start_service("sqlite", REDIS_URL=f"redis://:{quote(password, safe='')}@127.0.0.1:{server.port}/0")
        is_live(service)
        service.stop()
    finally:
        server.stop()


def test_over_tls(start_service: Start, tmp_path: Path) -> None:
    certificate, key = certificate_in(tmp_path)
    tls = {"cert": certificate, "key": key, "ca-cert": certificate}
    files = [word for name, file in tls.items() for word in (f"--tls-{name}-file", str(file))]
    port = free_port()
    server = RedisServer(
        tmp_path / "redis", ("redis-server", "--tls-port", str(port), "--tls-auth-clients", "no", *files)
    )
    try:
        url = f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={quote(str(certificate), safe='')}"
        service = start_service("sqlite", REDIS_URL=url)
        is_live(service)
        service.stop()
    finally:
        server.stop()


def test_commands_that_operators_rename_are_not_needed(start_service: Start, tmp_path: Path) -> None:
    """As hosting companies do it: what looks around, empties or sets up is not for guests."""
    renamed = [
        "KEYS",
        "FLUSHALL",
        "FLUSHDB",
        "CONFIG",
        "DEBUG",
        "SHUTDOWN",
        "SAVE",
        "BGSAVE",
        "MONITOR",
        "INFO",
        "SORT",
    ]
    options = [word for command in renamed for word in ("--rename-command", command, "")]
    server = RedisServer(tmp_path / "redis", ("redis-server", *options))
    try:
        service = start_service("sqlite", REDIS_URL=server.url)
        is_live(service)
        service.stop()
    finally:
        server.stop()


def test_a_user_who_may_use_only_its_own_keys(start_service: Start, redis_server: RedisServer) -> None:
    redis_server.client.acl_setuser(
        "chat", enabled=True, passwords=["+open sesame"], keys=["chat:*"], categories=["+@all", "-@dangerous"]
    )
    service = start_service("sqlite", REDIS_URL=f"redis://chat:open%20sesame@127.0.0.1:{redis_server.port}/0")
    is_live(service)
    service.stop()


def test_a_cluster_is_refused_in_one_line(start_service: Start, tmp_path: Path) -> None:
    options = ("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    cluster = RedisServer(tmp_path / "redis", ("redis-server", *options))
    try:
        with pytest.raises(RuntimeError, match="REDIS_URL: a Redis Cluster cannot hold the log") as refused:
            start_service("sqlite", REDIS_URL=cluster.url)
        assert "Traceback" not in str(refused.value)
    finally:
        cluster.stop()


def test_a_server_that_becomes_one_of_a_cluster_is_named_by_readyz(start_service: Start, tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "redis")
    service = start_service("sqlite", REDIS_URL=server.url)
    server.stop()
    options = ("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    cluster = RedisServer(tmp_path / "cluster", ("redis-server", *options), port=server.port)
    try:
        with Person(service.url) as someone:
            answer = someone.http.get(f"{service.url}/readyz")
        assert (answer.status_code, answer.json()["redis"]) == (503, "cluster")
        assert "cannot hold the log" in answer.json()["detail"]
    finally:
        service.stop()
        cluster.stop()
