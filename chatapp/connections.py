"""`Connections`: how many streams and polls are held open, per worker and per user."""

import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from chatapp.background import Loop
from chatapp.errors import TooManyConnections
from chatapp.redis_link import RedisAway
from chatapp.redis_link import RedisLink

# A worker that has not said for this long that it lives is dead, and its connections with it.
ALIVE_S = 5
ALIVE_INTERVAL_S = 1.0
# The count of a user outlives every stream; dead workers in it are skipped anyway.
COUNT_S = 3600
RETRY_AFTER_S = 3.0

ALIVE_PREFIX = "chat:worker:"


class Connections:
    """One worker counts by itself; several count together in Redis, and each alone while it is away."""

    def __init__(self, link: RedisLink, *, workers: int, per_user: int, per_worker: int) -> None:
        self._link = link
        self._shared = workers > 1
        self._per_user = per_user
        self._per_worker = per_worker
        self._worker = secrets.token_hex(8)
        self._count = link.quick.script("connect")
        self._open: Counter[str] = Counter()
        self._total = 0
        self._untold: set[str] = set()
        self._loop = Loop("connections", self._say_alive, interval_s=ALIVE_INTERVAL_S)

    def start(self) -> None:
        if self._shared:
            self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    @contextmanager
    def hold(self, user_id: str) -> Iterator[None]:
        """Count one connection while it lasts. Raises TooManyConnections."""
        if self._total >= self._per_worker or self._open[user_id] >= self._per_user:
            raise TooManyConnections(retry_after_s=RETRY_AFTER_S)
        self._total += 1
        self._open[user_id] += 1
        try:
            if self._shared and not self._say_count(user_id, self._per_user):
                raise TooManyConnections(retry_after_s=RETRY_AFTER_S)
            yield
        finally:
            self._total -= 1
            self._open[user_id] -= 1
            if not self._open[user_id]:
                del self._open[user_id]
            if self._shared:
                self._say_count(user_id)

    def _say_count(self, user_id: str, limit: int = 0) -> bool:
        """Tell the other workers how many this one holds. False if that would be more than `limit` in all.

        True while Redis is away: this worker's own count has to do, and is told when it is back.
        """
        count = self._open.get(user_id, 0)
        args = [self._worker, ALIVE_PREFIX, count, limit, COUNT_S]
        try:
            told = bool(self._count([f"chat:connections:{user_id}"], args))
        except RedisAway:
            self._untold.add(user_id)
            return True
        if told:
            self._untold.discard(user_id)
        return told

    def _say_alive(self) -> None:
        self._link.quick.call(lambda redis: redis.set(ALIVE_PREFIX + self._worker, 1, ex=ALIVE_S))
        for user_id in list(self._untold):
            self._say_count(user_id)
