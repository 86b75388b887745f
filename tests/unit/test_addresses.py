"""The addresses of the servers, as the settings take, refuse and show them."""

from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import create_engine

from chatapp.config import Config
from chatapp.config import ConfigError
from chatapp.config import settings
from chatapp.storage.redis_pool_ties import redis_pool


def config(tmp_path: Path, name: str, url: str) -> Config:
    return Config.from_environ({"CHATAPP_DATA": str(tmp_path), name: url})


@pytest.mark.parametrize(
    ("url", "hosts", "ports"),
    [
        ("postgresql://u:p%40@h1:5432,h2:5433/db", "h1,h2", "5432,5433"),
        ("postgres://u@h1,[::1]:5433/db?target_session_attrs=any", "h1,::1", "5432,5433"),
        ("postgresql://a.b-c_d,e:1/db", "a.b-c_d,e", "5432,1"),
        ("postgresql://h1,h2/db?options=-csearch_path%3Da,b", "h1,h2", "5432,5432"),
    ],
)
def test_several_hosts_reach_the_driver(tmp_path: Path, url: str, hosts: str, ports: str) -> None:
    engine = create_engine(config(tmp_path, "DATABASE_URL", url).database_url)
    _, parameters = engine.dialect.create_connect_args(engine.url)
    assert (parameters["host"], parameters["port"], parameters["dbname"]) == (hosts, ports, "db")
    assert parameters.get("password") in (None, "p@")


@pytest.mark.parametrize("url", ["postgresql://h1,h 2/db", "postgresql://h1:x,h2/db", "postgresql://h1,,h2/db"])
def test_hosts_that_cannot_be_are_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError, match="DATABASE_URL: several hosts are written HOST:PORT,HOST:PORT"):
        config(tmp_path, "DATABASE_URL", url)


@pytest.mark.parametrize(
    "url",
    [
        # It would lead to this machine, without a password.
        "redis://:pa#ss@h:6379/0",
        "redis://:sesa/me@h/0",
        "redis://:sesame@h:port/0",
        "redis+sentinel://:sesame@h1:1,h2:2",
        "redis+sentinel://:sesame@h1:1,h 2/name",
        "redis+sentinel://:sesame@h1:99999/name",
        "redis://:sesa[me@h/0",
        "redis://:sesame：x@h/0",
        "redis://:sesame@h:65536/0",
    ],
)
def test_a_redis_address_that_leads_elsewhere_is_refused_and_not_quoted(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError, match="REDIS_URL: cannot be read as an address: ") as refused:
        config(tmp_path, "REDIS_URL", url)
    assert "sesa" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["redis://h", "redis:///0", "redis://h:/0", "rediss://u:p@[::1]:1/2", "unix:///run/redis.sock?db=1"]
)
def test_redis_addresses_that_are_taken(tmp_path: Path, url: str) -> None:
    assert config(tmp_path, "REDIS_URL", url).redis_url == url


def test_sentinels_and_their_server_have_passwords_of_their_own() -> None:
    url = "rediss+sentinel://chat:p%40ss@s1:1,s2/my%20name/3?sentinel_password=s%2Fp&ssl_ca_certs=/ca.pem"
    pool = redis_pool(url, most=3, timeout_s=1.0, connect_timeout_s=0.5)
    assert pool.service_name == "my name"  # type: ignore[attr-defined]
    kwargs = pool.connection_kwargs
    assert (kwargs["username"], kwargs["password"], kwargs["db"]) == ("chat", "p@ss", 3)
    assert (kwargs["ssl_ca_certs"], kwargs["socket_timeout"]) == ("/ca.pem", 1.0)
    asked = [one.connection_pool.connection_kwargs for one in pool.sentinel_manager.sentinels]  # type: ignore[attr-defined]
    assert [(one["host"], one["port"], one["password"]) for one in asked] == [("s1", 1, "s/p"), ("s2", 26379, "s/p")]
    assert {one["ssl_ca_certs"] for one in asked} == {"/ca.pem"}


def test_nothing_is_remembered_of_a_primary_that_nobody_names() -> None:
    pool = redis_pool("redis+sentinel://127.0.0.1:1,127.0.0.1:2/name", most=2, timeout_s=0.1, connect_timeout_s=0.1)
    for _ in range(20):
        with pytest.raises(RedisConnectionError):
            Redis(connection_pool=pool).ping()
    assert len(pool._connections) <= 2


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("REDIS_URL", "redis+sentinel://chat:sesame@h1:1,h2:2/name?sentinel_password=sesame&db=0"),
        ("REDIS_URL", "unix:///s?password=sesame&db=1"),
        ("DATABASE_URL", "postgresql://chat:sesame@h1:1,h2:2/db"),
        ("DATABASE_URL", "postgresql://chat:se/same@h/db"),
        ("REDIS_URL", "redis://:x@same@h/0"),
    ],
)
def test_no_password_is_shown(tmp_path: Path, name: str, url: str) -> None:
    shown = {one.name: one.value for one in settings({"CHATAPP_DATA": str(tmp_path), name: url})}[name]
    assert "***" in shown
    assert "same" not in shown
