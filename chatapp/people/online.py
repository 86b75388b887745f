"""`Online`: who is online where, as all workers together say it in Redis."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from typing import Any
from typing import NamedTuple

from redis import Redis

from chatapp.errors import RedisAway
from chatapp.eventlog import SIGNALS
from chatapp.eventlog import Hub
from chatapp.runtime import Recent
from chatapp.storage import RedisLink

WORKERS = "chat:online"
DUE, WHOLE, AGAIN, HEARD = (f"{WORKERS}:{what}" for what in ("due", "whole", "again", "heard"))
ROOM_PREFIX = f"{WORKERS}:room:"

# A worker that has said nothing for this long is dead. Its last word may be a second old, and taking back what ten
# thousand people's worker has said takes seconds: all in all less than the contract's minute.
LEASE_MS = 30_000
# A worker that ends: those who come back to another one within this time were never away.
LAST_LEASE_MS = 15_000
TELL_INTERVAL_MS = 1_000
# What was lost with Redis is said again within this time, without being told.
AGAIN_MS = 10_000
# What is said beside the log is heard within moments. Parts of replies that grow are long: by their number alone they
# could fill Redis.
SIGNALS_KEPT_MS = 15_000
# Of one round: each is some microseconds of Redis.
SAID_MAX = 500
TOLD_MAX = 200
# More changes of a room are not named.
NAMED_MAX = 50
COUNTS_REMEMBERED = 20_000


class Saying(NamedTuple):
    """`what` is '+' for online, '=' for the same said again after a loss, '-' for no longer."""

    what: str
    room_id: int
    user_id: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be told about a room: who came and went, None where they are too many to be named."""

    room_id: int
    count: int
    users: list[tuple[str, bool]] | None


@dataclass(frozen=True, slots=True)
class Round:
    """What came of one: who went from which room, and when; and what this worker has to tell."""

    gone: list[tuple[int, str, datetime]]
    changes: list[Changes]
    more: bool


class Online:
    """While Redis is away, whoever asks is told what was seen before, and who has a connection to this worker."""

    def __init__(self, link: RedisLink, hub: Hub) -> None:
        self._link = link
        self._hub = hub
        self._script = link.commands.script("presence")
        self._script_of_counts = link.quick.script("online_counts")
        self._counts: Recent[int, int] = Recent(COUNTS_REMEMBERED)
        self.begin_anew()

    def begin_anew(self) -> None:
        """Go on as another worker, who has said nothing yet: what this one said holds until its lease is over."""
        self._worker = secrets.token_hex(4)
        self._known = False

    def say(self, sayings: Sequence[Saying], lease_ms: int = LEASE_MS) -> Round | None:
        """That this worker lives, and these, at most some hundreds. None if it was taken for dead, or Redis has lost
        what it said: it begins anew, and says everything again. What is said twice counts once. Raises RedisAway."""
        keys = [WORKERS, DUE, WHOLE, AGAIN, HEARD, SIGNALS]
        bounds = [TOLD_MAX, NAMED_MAX, TELL_INTERVAL_MS, SAID_MAX, AGAIN_MS, SIGNALS_KEPT_MS]
        said = [part for saying in sayings for part in saying]
        answer = self._script(keys, [self._worker, int(self._known), lease_ms, *bounds, *said])
        if not answer[0]:
            self.begin_anew()
            return None
        self._known = True
        _, gone, rooms, more = answer
        return Round(
            [(int(gone[i]), gone[i + 1].decode(), _moment(gone[i + 2])) for i in range(0, len(gone), 3)],
            [_changes(room) for room in rooms],
            bool(more),
        )

    def counts(self, room_ids: Sequence[int]) -> dict[int, int]:
        """How many are online in each of these rooms."""

        try:
            again, *found = self._script_of_counts([AGAIN, *(f"{ROOM_PREFIX}{room_id}" for room_id in room_ids)], [])
        except RedisAway:
            return {room_id: self._counts.get(room_id, 0) for room_id in room_ids}
        counts = dict(zip(room_ids, found, strict=True))
        if again == b"again":
            return {room_id: max(count, self._counts.get(room_id, 0)) for room_id, count in counts.items()}
        self._counts.update(counts)
        return counts

    def among(self, room_id: int, user_ids: Sequence[str]) -> set[str]:
        """Those of these users who are online in the room."""
        here = {user_id for user_id in user_ids if self._is_here(room_id, user_id)}
        if not user_ids:
            return here
        try:
            found: Any = self._link.quick.call(lambda redis: redis.hmget(f"{ROOM_PREFIX}{room_id}", list(user_ids)))
        except RedisAway:
            return here
        return here.union(user_id for user_id, workers in zip(user_ids, found, strict=True) if workers is not None)

    def all_in(self, room_id: int, most: int) -> list[str] | None:
        """All who are online in the room; None if they are more than this, or not known."""

        def ask(redis: Redis) -> Any:
            key = f"{ROOM_PREFIX}{room_id}"
            return redis.hkeys(key) if redis.hlen(key) <= most else None

        try:
            found = self._link.quick.call(ask)
        except RedisAway:
            return None
        return None if found is None else [user_id.decode() for user_id in found]

    def _is_here(self, room_id: int, user_id: str) -> bool:
        return any(room_id in one.rooms and room_id not in one.visited for one in self._hub.of_user(user_id))


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _changes(told: list[Any]) -> Changes:
    room_id, count, *users = told
    named = None if users[0] == b"" else [(users[i].decode(), users[i + 1] == b"1") for i in range(0, len(users), 2)]
    return Changes(int(room_id), count, named)
