"""`Places`: how many streams and polls are held open, per worker and per user."""

import secrets
from collections import Counter
from typing import Any

from chatapp.errors import RedisAway
from chatapp.errors import TooManyConnections
from chatapp.runtime import Loop
from chatapp.storage import RedisLink

# A worker that has shown no sign of life for this long is dead, and its connections with it.
ALIVE_S = 5
ALIVE_INTERVAL_S = 1.0
# The count of a user outlives every stream; dead workers in it are skipped anyway.
COUNT_S = 3600
RETRY_AFTER_S = 3.0
# Openings and endings gather this long before the other workers are told.
TELL_PAUSE_S = 0.05
TELL_MAX = 500

ALIVE_PREFIX = "chat:worker:"
COUNT_PREFIX = "chat:connections:"


class Places:
    """Workers count together in Redis, and each alone while it is away.

    Only one that is alone, with a Redis of its own, asks nobody: other hosts may use an external one, too.

    A user's first connection in a worker asks nobody: its count is told a little later, those of many in one go.
    """

    def __init__(self, link: RedisLink, *, workers: int, alone: bool, per_user: int, per_worker: int) -> None:
        self._link = link
        self._shared = not alone
        self._per_user = per_user
        self._per_worker = per_worker
        self._worker = secrets.token_hex(8)
        self._count = link.quick.script("connect")
        self._open: Counter[str] = Counter()
        self._total = 0
        # The first one in each worker, unless the limit is small: so thousands who come back ask nobody, and a user
        # who is at the limit in another worker gets one more at most.
        self._unasked = min(1, per_user // (2 * workers))
        self._untold: set[str] = set()
        self._loop = Loop("places", self._tell, interval_s=ALIVE_INTERVAL_S, pause_s=TELL_PAUSE_S)

    def start(self) -> None:
        if self._shared:
            self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    def take(self, user_id: str) -> None:
        """Count one connection, until `give_back`. Raises TooManyConnections."""
        if self._total >= self._per_worker or self._open[user_id] >= self._per_user:
            raise TooManyConnections(retry_after_s=RETRY_AFTER_S)
        self._total += 1
        self._open[user_id] += 1
        try:
            admitted = not self._shared or self._asked(user_id, self._open[user_id])
        except BaseException:
            self.give_back(user_id)
            raise
        if not admitted:
            self.give_back(user_id)
            raise TooManyConnections(retry_after_s=RETRY_AFTER_S)

    def give_back(self, user_id: str) -> None:
        """Count one less. Waits for nothing: the others are told a moment later."""
        self._total -= 1
        self._open[user_id] -= 1
        if not self._open[user_id]:
            del self._open[user_id]
        self._tell_later(user_id)

    def _tell_later(self, user_id: str) -> None:
        if self._shared:
            self._untold.add(user_id)
            self._loop.wake()

    def _asked(self, user_id: str, count: int) -> bool:
        """Tell the other workers that this one holds `count`. False if that would be too many in all.

        True while Redis is away: this worker's own count has to do, and is told when it is back.
        """
        if count <= self._unasked:
            self._tell_later(user_id)
            return True
        args = [self._worker, ALIVE_PREFIX, count, self._per_user, COUNT_S]
        try:
            told = bool(self._count([COUNT_PREFIX + user_id], args))
        except RedisAway:
            self._untold.add(user_id)
            return True
        if self._open[user_id] != count:
            # Another one came or went meanwhile, and its count may have been written before this one.
            self._tell_later(user_id)
        elif told:
            self._untold.discard(user_id)
        return told

    def _tell(self) -> None:
        """Say that this worker lives, and the counts that were not told yet."""
        untold = [self._untold.pop() for _ in range(min(TELL_MAX, len(self._untold)))]
        counts = {user_id: self._open[user_id] for user_id in untold}
        try:
            self._link.commands.call(lambda redis: self._pipe(redis.pipeline(transaction=False), counts))
        except RedisAway:
            self._untold.update(counts)
            raise
        # What changed meanwhile may have been written before these.
        self._untold.update(user_id for user_id, count in counts.items() if self._open[user_id] != count)
        if self._untold:
            self._loop.wake()

    def _pipe(self, pipeline: Any, counts: dict[str, int]) -> None:
        pipeline.set(ALIVE_PREFIX + self._worker, 1, ex=ALIVE_S)
        for user_id, count in counts.items():
            key = COUNT_PREFIX + user_id
            if count:
                pipeline.hset(key, self._worker, count)
                pipeline.expire(key, COUNT_S)
            else:
                pipeline.hdel(key, self._worker)
        pipeline.execute()
