"""`Cache`: values of the database by key, asked for many at a time, and remembered while they are sure to hold."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from itertools import islice
from typing import Generic
from typing import TypeVar

import gevent
from gevent.event import AsyncResult
from sqlalchemy.orm import Session as Transaction

from chatapp.errors import Unavailable
from chatapp.eventlog import Tail
from chatapp.runtime import Recent
from chatapp.storage import Database

K = TypeVar("K")
V = TypeVar("V")

# Keys of one query: thousands of clients that come back at once cost some dozen queries.
BATCH_MAX = 200
# The same for keys that ask for several things each: far below the parameters of one statement (SQLite: 32,766).
WEIGHT_MAX = 2000
# Where several asked at once, more will: this is how long they gather for the next query.
GATHER_S = 0.025
# One query that is under way, then one's own. Two such waits, for session and rooms, fit into a request.
ANSWER_TIMEOUT_S = 4.0


@dataclass(slots=True)
class _Asked(Generic[V]):
    result: "AsyncResult[V | None]" = field(default_factory=AsyncResult)
    changed: bool = False


class Cache(Generic[K, V]):
    """Whoever asks while a query is under way shares the next one.

    `size` values are remembered for `remember_s`, and only while this worker hears what others change: whoever changes
    a value says so, and `forget` must be called then; after any break `forget_all`. `weight` says how much of a query
    a key takes.
    """

    def __init__(
        self,
        database: Database,
        tail: Tail,
        load: Callable[[Transaction, list[K]], dict[K, V]],
        *,
        size: int,
        remember_s: float,
        weight: Callable[[K], int] = lambda _: 1,
    ) -> None:
        self._database = database
        self._tail = tail
        self._load = load
        self._remember_s = remember_s
        self._weight = weight
        self._known: Recent[K, tuple[float, V]] = Recent(size)
        self._waiting: dict[K, _Asked[V]] = {}
        self._loading: dict[K, _Asked[V]] = {}
        self._running = False

    def get(self, key: K) -> V | None:
        """What is remembered, or what the database says now. None: it is not there. Raises Unavailable."""
        remembered = self._known.get(key)
        if remembered is None or not self._tail.current:
            return self.ask(key)
        age_s = time.monotonic() - remembered[0]
        if age_s >= self._remember_s:
            return self.ask(key)
        if age_s >= self._remember_s / 2 and key not in self._loading:
            # In time, so that nobody has to wait when it runs out.
            self._ask_later(key)
        return remembered[1]

    def ask(self, key: K) -> V | None:
        """What the database says now."""
        asked = self._ask_later(key)
        asked.result.wait(timeout=ANSWER_TIMEOUT_S)
        if not asked.result.ready():
            raise Unavailable("the database did not answer in time")
        return asked.result.get()

    def _ask_later(self, key: K) -> "_Asked[V]":
        asked = self._waiting.get(key)
        if asked is None:
            asked = self._waiting[key] = _Asked()
        if not self._running:
            self._running = True
            gevent.spawn(self._run)
        return asked

    def forget(self, key: K) -> None:
        """It has changed, or will have."""
        self._known.pop(key, None)
        if key in self._loading:
            self._loading[key].changed = True

    def forget_all(self) -> None:
        self._known.clear()
        for asked in self._loading.values():
            asked.changed = True

    def _run(self) -> None:
        try:
            while self._waiting:
                self._loading = {key: self._waiting.pop(key) for key in self._next_batch()}
                crowded = len(self._loading) > 1
                self._answer(self._loading)
                self._loading = {}
                if crowded:
                    gevent.sleep(GATHER_S)
        finally:
            self._running = False

    def _next_batch(self) -> list[K]:
        """As many as one query may ask for, and at least one."""
        batch: list[K] = []
        weight = 0
        for key in islice(self._waiting, BATCH_MAX):
            weight += self._weight(key)
            if batch and weight > WEIGHT_MAX:
                break
            batch.append(key)
        return batch

    def _answer(self, batch: dict[K, _Asked[V]]) -> None:
        asked_s = time.monotonic()
        try:
            found = self._database.read(lambda tx: self._load(tx, list(batch)))
        except Exception as error:
            for asked in batch.values():
                asked.result.set_exception(error)
            return
        for key, asked in batch.items():
            value = found.get(key)
            if value is not None and not asked.changed:
                self._known[key] = (asked_s, value)
            asked.result.set(value)
