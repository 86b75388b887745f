"""`RegularPruning`: the service prunes by itself, one worker at a time."""

import logging
import secrets
from collections.abc import Iterator

from chatapp.eventlog import LiveLog
from chatapp.keeping.pruning import DAY_S
from chatapp.keeping.pruning import prune
from chatapp.keeping.pruning import tell_workers
from chatapp.keeping.pruning import until
from chatapp.keeping.removed import Removed
from chatapp.runtime import Loop
from chatapp.storage import Database
from chatapp.storage import RedisLink
from chatapp.wire import Cursor

log = logging.getLogger(__name__)

# Who prunes just now holds it; when a round is over, nobody, until the next one is due.
TURN = "chat:pruning"
# Longer than a step takes with all its waiting. Should its worker die, another goes on after this time.
TURN_S = 60
ROUND_INTERVAL_S = 3600
LOOK_INTERVAL_S = 30.0
# Between two steps, of 50 ms each: those who write wait no longer than for one another.
PAUSE_S = 0.2


class RegularPruning:
    """Without `keep_days` nothing is ever pruned. While Redis is away, or the turn is another worker's, neither."""

    def __init__(self, database: Database, live_log: LiveLog, link: RedisLink, keep_days: int | None) -> None:
        self._database = database
        self._live_log = live_log
        self._link = link
        self._keep_days = keep_days
        self._name = secrets.token_hex(8)
        self._steps: Iterator[Removed] | None = None
        self._before = Cursor(0)
        self._removed = Removed()
        self._loop = Loop("pruning", self._step, interval_s=LOOK_INTERVAL_S, pause_s=PAUSE_S)

    def start(self) -> None:
        if self._keep_days is not None:
            self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    def _step(self) -> None:
        """One step of the round, or the first of a new one. Raises RedisAway, Unavailable: it begins anew, then."""
        steps, self._steps = self._steps, None
        if not self._my_turn(begun=steps is not None):
            return
        steps = steps or self._round()
        removed = next(steps, None)
        if removed is None:
            self._over()
            return
        self._removed += removed
        self._steps = steps
        self._loop.wake()

    def _round(self) -> Iterator[Removed]:
        assert self._keep_days is not None
        self._before, self._removed = until(self._keep_days * DAY_S), Removed()
        return prune(self._database, self._before)

    def _my_turn(self, *, begun: bool) -> bool:
        """Take or keep the turn. Two who prune at once do no harm; this only spares the work."""
        if not begun:
            return bool(self._link.quick.call(lambda redis: redis.set(TURN, self._name, nx=True, ex=TURN_S)))
        if self._link.quick.call(lambda redis: redis.get(TURN)) != self._name.encode():
            return False
        return bool(self._link.quick.call(lambda redis: redis.set(TURN, self._name, ex=TURN_S)))

    def _over(self) -> None:
        if self._removed:
            log.info("pruned: %s", self._removed)
        # Also of what a round removed that came to no end.
        tell_workers(self._live_log, self._before)
        self._link.quick.call(lambda redis: redis.set(TURN, "done", ex=ROUND_INTERVAL_S))
