"""RedisLink: what is asked on the connection that is kept, and what happens when it is not there any more."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from chatapp.redis_link import Client
from chatapp.redis_link import RedisAway
from tests.support.redis_server import RedisServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    started = RedisServer(tmp_path / "redis")
    yield started
    started.stop()


@pytest.fixture
def client(server: RedisServer) -> Iterator[Client]:
    made = Client(server.url, "test", timeout_s=0.25, max_connections=4, away_s=0.0)
    yield made
    made.close()


def test_one_connection_is_kept(client: Client, server: RedisServer) -> None:
    first = client.ask("CLIENT", "ID")
    assert [client.ask("CLIENT", "ID") for _ in range(3)] == [first] * 3


def test_a_connection_that_was_closed_meanwhile_is_made_anew(client: Client, server: RedisServer) -> None:
    first = client.ask("CLIENT", "ID")
    with Redis.from_url(server.url) as other:
        other.client_kill_filter(_id=str(first))
    assert client.ask("CLIENT", "ID") > first
    assert not client.failing


def test_the_tail_is_told_of_each_break(server: RedisServer) -> None:
    client = Client(server.url, "tail", timeout_s=0.25, max_connections=1, away_s=0.0, again=False)
    first = client.ask("CLIENT", "ID")
    with Redis.from_url(server.url) as other:
        other.client_kill_filter(_id=str(first))
    with pytest.raises(RedisAway):
        client.ask("CLIENT", "ID")
    assert client.ask("CLIENT", "ID") > first
    client.close()


def test_the_answer_to_a_question_that_took_too_long_is_nobody_elses(client: Client, server: RedisServer) -> None:
    assert client.ask("PING") == b"PONG"
    with pytest.raises(RedisAway):
        client.ask("BLPOP", "nothing", 5)
    assert client.failing
    with Redis.from_url(server.url) as other:
        other.rpush("nothing", "late")
    assert client.ask("ECHO", "mine") == b"mine"
    assert not client.failing


def test_a_script_that_redis_forgot_is_sent_again(client: Client, server: RedisServer) -> None:
    refuse = client.script("refuse")
    refuse(["chat:send:a:1"], ["failed:one", 60])
    with Redis.from_url(server.url) as other:
        other.script_flush()
        refuse(["chat:send:a:2"], ["failed:two", 60])
        assert other.get("chat:send:a:2") == b"failed:two"


def test_a_server_that_is_gone_is_away_at_once(client: Client, server: RedisServer) -> None:
    assert client.ask("PING") == b"PONG"
    server.stop()
    with pytest.raises(RedisAway):
        client.ask("PING")
