"""RedisLink: what is asked on the connection that is kept, and what happens when it is not there any more."""

from collections.abc import Iterator

import pytest
from redis import Redis

from chatapp.errors import RedisAway
from chatapp.errors import RedisFull
from chatapp.storage.redis_link import Client
from tests.support.redis_server import RedisServer


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator[Client]:
    made = Client(redis_server.url, "test", timeout_s=0.25, max_connections=4, away_s=0.0)
    yield made
    made.close()


def test_one_connection_is_kept(client: Client, redis_server: RedisServer) -> None:
    first = client.ask("CLIENT", "ID")
    assert [client.ask("CLIENT", "ID") for _ in range(3)] == [first] * 3


def test_who_asks_is_told_that_the_connection_was_closed_meanwhile(client: Client, redis_server: RedisServer) -> None:
    first = client.ask("CLIENT", "ID")
    _close(redis_server, first)
    with pytest.raises(RedisAway):
        client.ask("CLIENT", "ID")
    assert client.ask("CLIENT", "ID") > first
    assert not client.failing


def test_a_script_goes_on_with_another_connection(client: Client, redis_server: RedisServer) -> None:
    first = client.ask("CLIENT", "ID")
    _close(redis_server, first)
    client.script("refuse")(["chat:send:a:1", "chat:refusals:a"], ["failed:one", 60, 9, 9])
    assert client.ask("CLIENT", "ID") > first
    assert not client.failing


def test_a_send_that_is_asked_for_twice_is_charged_once(client: Client) -> None:
    """The answer may be lost with the connection."""
    admit = client.script("admit")
    keys = ["chat:rate:a", "chat:send:a:1", "chat:rate:b", "chat:send:b:1"]
    args = ["claim:of this call:", 15_000, *[1_000_000, 10, 1] * 2]
    first, again = admit(keys, args), admit(keys, args)
    assert [one[:2] for one in first] == [[b"admitted", 9]] * 2
    assert [one[:2] for one in again] == [[b"admitted", 9]] * 2
    [[verdict, *_]] = admit(keys[:2], ["claim:of another:", 15_000, 1_000_000, 10, 1])
    assert verdict == b"in_flight"


def test_two_copies_in_one_call_are_not_both_admitted(client: Client) -> None:
    found = client.script("admit")(["chat:rate:a", "chat:send:a:1"] * 2, ["claim:x:", 15_000, *[1_000_000, 10, 1] * 2])
    assert [one[0] for one in found] == [b"admitted", b"in_flight"]


def test_the_answer_to_a_question_that_took_too_long_is_nobody_elses(client: Client, redis_server: RedisServer) -> None:
    assert client.ask("PING") == b"PONG"
    with pytest.raises(RedisAway):
        client.ask("BLPOP", "nothing", 5)
    assert client.failing
    with Redis.from_url(redis_server.url) as other:
        other.rpush("nothing", "late")
    assert client.ask("ECHO", "mine") == b"mine"
    assert not client.failing


def test_a_script_that_redis_forgot_is_sent_again(client: Client, redis_server: RedisServer) -> None:
    refuse = client.script("refuse")
    refuse(["chat:send:a:1", "chat:refusals:a"], ["failed:one", 60, 9, 9])
    with Redis.from_url(redis_server.url) as other:
        other.script_flush()
        refuse(["chat:send:a:2", "chat:refusals:a"], ["failed:two", 60, 9, 9])
        assert other.get("chat:send:a:2") == b"failed:two"


def test_a_server_that_is_gone_is_away_at_once(client: Client, redis_server: RedisServer) -> None:
    assert client.ask("PING") == b"PONG"
    redis_server.stop()
    with pytest.raises(RedisAway):
        client.ask("PING")


def test_a_server_that_became_a_replica_is_looked_for_anew(client: Client, redis_server: RedisServer) -> None:
    """A managed failover keeps the old server: what stays connected to it is refused for ever."""
    refuse = client.script("refuse")
    refuse(["chat:send:a:1", "chat:refusals:a"], ["failed:one", 60, 9, 9])
    first = client.ask("CLIENT", "ID")
    redis_server.client.replicaof("127.0.0.1", "1")
    with pytest.raises(RedisAway):
        refuse(["chat:send:a:1", "chat:refusals:a"], ["failed:one", 60, 9, 9])
    assert client.ask("CLIENT", "ID") > first
    with pytest.raises(RedisAway):
        client.call(lambda redis: redis.set("one", 1))
    assert client.ask("CLIENT", "ID") > first + 1


def test_a_server_that_is_full_is_not_away(client: Client, redis_server: RedisServer) -> None:
    redis_server.client.config_set("maxmemory", "100kb")
    with pytest.raises(RedisFull):
        client.script("refuse")(["chat:send:a:1", "chat:refusals:a"], ["failed:one", 60, 9, 9])
    assert client.ask("PING") == b"PONG"


def _close(redis_server: RedisServer, connection: int) -> None:
    with Redis.from_url(redis_server.url) as other:
        other.client_kill_filter(_id=str(connection))


def test_who_is_just_about_to_ask_is_left_its_connection(client: Client) -> None:
    """Another one finds meanwhile that the server is a replica, and all that are idle are let go."""

    def sockets(redis: Redis) -> tuple[object, object]:
        connections = redis.connection_pool
        used, idle = connections.get_connection(), connections.get_connection()
        connections.release(idle)
        client.disconnect()
        try:
            return used._sock, idle._sock
        finally:
            connections.release(used)

    used, idle = client.call(sockets)
    assert used is not None
    assert idle is None
