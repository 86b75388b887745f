"""`RedisLink`: the connections to Redis, each with a bound, and the knowledge whether Redis is away."""

import logging
import time
from collections.abc import Callable
from collections.abc import Sequence
from hashlib import sha1
from importlib import resources
from typing import Any
from typing import TypeVar

from redis import Redis
from redis.exceptions import NoScriptError
from redis.exceptions import RedisError

from chatapp.errors import RedisAway
from chatapp.errors import RedisClustered
from chatapp.errors import RedisFull
from chatapp.storage import redis_ties
from chatapp.storage.redis_pool_ties import redis_pool

log = logging.getLogger(__name__)

T = TypeVar("T")

CONNECT_TIMEOUT_S = 1.0
COMMAND_TIMEOUT_S = 1.0
# A send asks Redis once and can do without: it must not wait longer than a person notices.
QUICK_TIMEOUT_S = 0.25
TAIL_BLOCK_MS = 1000
# A tail that waits longer than its own BLOCK has lost its server, not its patience.
TAIL_TIMEOUT_S = TAIL_BLOCK_MS / 1000 + 2.0
# After a failure nobody asks for this long, so that not every request pays the time-out again.
AWAY_S = 1.0
# What works in the background asks sooner: what was written meanwhile waits for it.
BACK_S = 0.25
MAX_COMMAND_CONNECTIONS = 32
# What a health check writes, and for how long it stays.
PROBE, PROBE_S = "chat:probe", 10


class Client:
    """One way to Redis, with its own bound and its own knowledge whether Redis is away.

    It does not retry by itself what was sent and not answered in time.
    """

    def __init__(
        self,
        url: str,
        purpose: str,
        timeout_s: float,
        max_connections: int,
        *,
        away_s: float = AWAY_S,
    ) -> None:
        self._pool = redis_pool(
            url, most=max_connections, timeout_s=timeout_s, connect_timeout_s=min(timeout_s, CONNECT_TIMEOUT_S)
        )
        self._redis = Redis(connection_pool=self._pool)
        self._exchange = redis_ties.Exchange(self._pool)
        self._purpose = purpose
        self._failing = False
        self._probing = False
        self._away_s = away_s
        self._away_until_s = 0.0

    @property
    def failing(self) -> bool:
        """Whether the last call failed."""
        return self._failing

    @property
    def away(self) -> bool:
        return self._probing or time.monotonic() < self._away_until_s

    def call(self, ask: Callable[[Redis], T]) -> T:
        """Let `ask` talk to Redis. Raises RedisAway, at once while Redis is known to be away."""
        return self._bounded(lambda: ask(self._redis))

    def ask(self, *words: str | bytes | float) -> Any:
        """The plain answer to one command. Raises RedisAway like `call`, also when the connection was closed
        meanwhile: then something may have been missed.
        """
        return self._bounded(lambda: self._exchange.ask(words, again=False))

    def script(self, name: str) -> Callable[..., Any]:
        """A script of scripts/ as a function of `keys` and `args`. It may run twice. Raises RedisAway."""
        source = resources.files("chatapp.storage.scripts").joinpath(f"{name}.lua").read_bytes()
        digest = sha1(source, usedforsecurity=False).hexdigest()

        def run(keys: Sequence[str], args: Sequence[str | bytes | float]) -> Any:
            try:
                return self._exchange.ask(("EVALSHA", digest, len(keys), *keys, *args), again=True)
            except NoScriptError:
                return self._exchange.ask(("EVAL", source, len(keys), *keys, *args), again=True)

        return lambda keys, args: self._bounded(lambda: run(keys, args))

    def disconnect(self) -> None:
        """Let go of all connections that nobody uses: the next call makes another one. Who is just about to ask on one
        would otherwise find it without a socket, which is no error of Redis."""
        self._exchange.close()
        self._pool.disconnect(inuse_connections=False)

    def close(self) -> None:
        self._redis.close()
        self._exchange.close()
        self._pool.disconnect()

    def _bounded(self, ask: Callable[[], T]) -> T:
        if self.away:
            raise RedisAway("away")
        # After a failure one call finds out for all: the others need not pay the same time-out.
        probing = self._failing and self._away_s > 0
        self._probing = probing
        try:
            return self._watched(ask)
        finally:
            if probing:
                self._probing = False

    def _watched(self, ask: Callable[[], T]) -> T:
        try:
            answer = ask()
        except (RedisError, OSError) as error:
            self._note(error)
            if redis_ties.clustered(error):
                raise RedisClustered from error
            raise (RedisFull if redis_ties.full(error) else RedisAway)(str(error)) from error
        if self._failing:
            log.warning("REDIS_URL: Redis serves the %s again", self._purpose)
        self._failing = False
        return answer

    def _note(self, error: Exception) -> None:
        if not redis_ties.full(error):
            self._away_until_s = time.monotonic() + self._away_s
        if redis_ties.demoted(error):
            # Whoever is asked next is found by its name again.
            self.disconnect()
        if not self._failing:
            log.warning("REDIS_URL: Redis does not serve the %s: %s", self._purpose, error)
        self._failing = True


def probe(redis: Redis) -> None:
    # A cluster never answers for two keys at once, unless they are made to stay together.
    redis.exists(PROBE, f"{PROBE}:other")
    redis.set(PROBE, 1, ex=PROBE_S)


class RedisLink:
    """Four clients: for commands, for quick questions on the way of a send, for the tail's XREAD, for health checks."""

    def __init__(self, url: str) -> None:
        self.commands = Client(url, "publishing", COMMAND_TIMEOUT_S, MAX_COMMAND_CONNECTIONS, away_s=BACK_S)
        self.quick = Client(url, "rate limit", QUICK_TIMEOUT_S, MAX_COMMAND_CONNECTIONS)
        # The tail has a backoff of its own.
        self.tail = Client(url, "tail of the log", TAIL_TIMEOUT_S, 1, away_s=0.0)
        self._probe = Client(url, "health check", QUICK_TIMEOUT_S, 1, away_s=0.0)

    @property
    def failing(self) -> bool:
        """Whether nothing can be published just now, as far as is known."""
        return self.commands.failing or self.quick.away

    def probe(self) -> None:
        """Raises RedisAway unless Redis can be written, asking also while it is known to be away.

        A replica answers as well, but nothing can be published there. Raises RedisClustered for one of a cluster.
        """
        self._probe.call(probe)

    def close(self) -> None:
        for client in (self.commands, self.quick, self.tail, self._probe):
            client.close()
