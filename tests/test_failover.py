"""A managed failover under a running service: the name moves, and the old server stays, as a replica of the new one."""

from pathlib import Path

from tests.conftest import Start
from tests.support.followers import StreamFollower
from tests.support.moving_name import MovingName
from tests.support.person import Person
from tests.support.processes import wait_until
from tests.support.redis_server import RedisServer

# The contract's bound for being live again.
LIVE_AGAIN_S = 10.0


def said_next(follower: StreamFollower) -> str:
    """What is said next, whoever joins meanwhile."""
    while True:
        event = follower.next(LIVE_AGAIN_S)
        if event["type"] == "message.created":
            return str(event["message"]["body"])


def test_the_service_goes_on_with_the_new_server(
    start_service: Start, redis_server: RedisServer, tmp_path: Path
) -> None:
    second = RedisServer(tmp_path / "second")
    second.client.replicaof("127.0.0.1", str(redis_server.port))
    with MovingName(redis_server.port) as name:
        service = start_service("postgres", REDIS_URL=name.url)
        with Person(service.url, "Ada") as ada, Person(service.url, "Bob") as bob:
            follower = StreamFollower(bob)
            ada.send("general", "before")
            assert said_next(follower) == "before"
            wait_until(lambda: redis_server.client.wait(1, 100) == 1, what="the replica")
            second.client.replicaof("NO", "ONE")
            name.point_to(second.port)
            redis_server.client.replicaof("127.0.0.1", str(second.port))
            said = [f"{number}" for number in range(20)]
            for body in said:
                assert ada.post("general", body).status_code == 201
            assert [said_next(follower) for _ in said] == said
            # Sends after that are live at once, and nothing is said to be well that is not.
            wait_until(service.ready, LIVE_AGAIN_S, "readyz")
            assert ada.send("general", "after")["cursor"]
            assert said_next(follower) == "after"
            follower.close()
        service.stop()
    second.stop()


def test_readyz_writes(start_service: Start, redis_server: RedisServer) -> None:
    """A replica answers a PING, and nothing is live."""
    service = start_service("sqlite", REDIS_URL=redis_server.url)
    assert service.ready()
    redis_server.client.replicaof("127.0.0.1", "1")
    assert not service.ready()
    redis_server.client.replicaof("NO", "ONE")
    wait_until(service.ready, LIVE_AGAIN_S, "readyz")
    service.stop()
