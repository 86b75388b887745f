"""A peer that needs a Redis of its own, whose CPU and memory count as the peer's."""

import tempfile
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import request
from bench.target import Target
from bench.target import running
from bench.tree import Tree
from tests.support.processes import free_port
from tests.support.redis_server import RedisServer

# The client's pool of a hundred would end with the hundred-and-first stream: each holds a connection of its own.
POOL = "max_connections=20000"


@contextmanager
def with_redis(name: str, channel: str, command: Callable[[int], list[str]]) -> Iterator[Target]:
    """`command` is what starts it at a port. Each of its streams subscribes to `channel`."""
    with tempfile.TemporaryDirectory(prefix="bench-redis-") as folder:
        redis = RedisServer(Path(folder))
        try:
            port = free_port()
            with running(command(port), port, REDIS_URL=f"{redis.url}?{POOL}") as process:
                requests = [request.get("/stream", Accept="text/event-stream")]
                sends = [request.post("/send", request.MESSAGE)]
                yield Target(
                    name,
                    port,
                    Tree(process.pid, redis.process.pid),
                    requests,
                    sends,
                    nudge=lambda: redis.client.publish(channel, '{"type": "message.created", "data": "nudge"}'),
                    subscribed=lambda: int(redis.client.pubsub_numsub(channel)[0][1]),
                )
        finally:
            redis.stop()
