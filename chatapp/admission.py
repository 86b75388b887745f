"""`Admission`: may this send go ahead? Rate limit, localId claim, and what became of a localId."""

import logging
import secrets
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson

from chatapp import wire
from chatapp.errors import RateLimited
from chatapp.event import Entry
from chatapp.event_log import REMEMBER_S
from chatapp.gather import Gather
from chatapp.recent import Recent
from chatapp.redis_link import QUICK_TIMEOUT_S
from chatapp.redis_link import RedisAway
from chatapp.redis_link import RedisLink

log = logging.getLogger(__name__)

# A claim outlives every send (10 s) and then gives way, should its worker have died.
CLAIM_MS = 15_000
LOCAL_USERS_MAX = 10_000
# One call of the script holds Redis for about a millisecond at this size.
BATCH_MAX = 100
# The call that is under way, and the own one.
ASK_TIMEOUT_S = 2 * QUICK_TIMEOUT_S + 0.1


@dataclass(frozen=True, slots=True)
class Rate:
    """A limit: `burst` at once, then `per_second`. `name` is its name on the wire."""

    name: str
    burst: int
    per_second: float

    @property
    def interval_us(self) -> float:
        return 1_000_000 / self.per_second

    @property
    def policy(self) -> str:
        """The RateLimit-Policy field (draft-ietf-httpapi-ratelimit-headers): quota and its window."""
        return f'"{self.name}";q={self.burst};w={max(1, round(self.burst / self.per_second))}'


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer: 'admitted', 'known' (a message id is in `detail`), 'in_flight' or 'limited'."""

    verdict: str
    detail: str
    remaining: int
    rest_s: float
    wait_s: float

    @property
    def limit(self) -> str:
        """The RateLimit field: what is left, and the seconds until all of it is back."""
        return f"r={max(0, self.remaining)};t={max(0, round(self.rest_s + 0.5))}"

    def refusal(self) -> RateLimited:
        return RateLimited("Slow down.", retry_after_s=max(0.001, self.wait_s))


# Rate, its key, cost, and the key of a localId or "".
Question = tuple[Rate, str, int, str]


class Admission:
    """Redis is the shortcut, for all workers; while it is away, a limit in this worker's memory.

    The judge of what is stored twice is the database, never this.
    """

    def __init__(self, link: RedisLink, rate: Rate) -> None:
        self.rate = rate
        self._policy = rate.policy
        self._link = link
        self._script = link.quick.script("admit")
        self._gather = Gather(self._admit_all, most=BATCH_MAX, timeout_s=ASK_TIMEOUT_S)
        self._refuse = link.quick.script("refuse")
        self._local: Recent[str, float] = Recent(LOCAL_USERS_MAX)

    def admit(self, user_id: str, local_id: str) -> Verdict:
        """Ask for one send; 'admitted' has charged it and claimed the localId."""
        return self._ask(self.rate, f"chat:rate:{user_id}", 1, _send_key(user_id, local_id))

    def peek(self, user_id: str) -> Verdict:
        """How much is left, without a charge."""
        return self._ask(self.rate, f"chat:rate:{user_id}", 0)

    def refund(self, user_id: str) -> None:
        """Give one charge back: the send turned out a replay, or its outcome is open."""
        self._ask(self.rate, f"chat:rate:{user_id}", -1)

    def fields(self, verdict: Verdict) -> list[tuple[str, str]]:
        """What is left of the rate, as header fields."""
        return [("RateLimit-Policy", self._policy), ("RateLimit", f'"{self.rate.name}";{verdict.limit}')]

    def charge(self, rate: Rate, key: str) -> Verdict:
        """Ask for one of something else than sends."""
        return self._ask(rate, f"chat:{rate.name}:{key}", 1)

    def refused(self, user_id: str, local_id: str, problem: dict[str, Any]) -> None:
        """Remember why nothing was stored."""
        with suppress(RedisAway):
            self._refuse([_send_key(user_id, local_id)], [b"failed:" + wire.dumps(problem), REMEMBER_S])

    def release(self, user_id: str, local_id: str) -> None:
        """Drop the claim: the outcome is open and the client sends again."""
        self._quietly(lambda redis: redis.delete(_send_key(user_id, local_id)))

    def in_flight_or_failed(self, user_id: str, local_ids: list[str]) -> dict[str, dict[str, Any] | None]:
        """Of these localIds, those in flight (None) and those refused (the problem)."""
        keys = [_send_key(user_id, local_id) for local_id in local_ids]
        states: Any = self._quietly(lambda redis: redis.mget(keys)) or [None] * len(keys)
        found: dict[str, dict[str, Any] | None] = {}
        for local_id, state in zip(local_ids, states, strict=True):
            if state is not None and state.startswith(b"claim:"):
                found[local_id] = None
            elif state is not None and state.startswith(b"failed:"):
                found[local_id] = orjson.loads(state.removeprefix(b"failed:"))
        return found

    def _quietly(self, ask: Any) -> Any:
        """Redis only shortens the way: without it, the database answers."""
        try:
            return self._link.quick.call(ask)
        except RedisAway:
            return None

    def _ask(self, rate: Rate, key: str, cost: int, claim: str | None = None) -> Verdict:
        try:
            verdict, detail, remaining, rest_us, wait_us = self._gather.ask((rate, key, cost, claim or ""))
        except (RedisAway, TimeoutError):
            return self._ask_here(rate, key, cost)
        # Should Redis go away now, the limit goes on from here.
        self._local[key] = time.monotonic() + rest_us / 1e6
        return Verdict(verdict.decode(), detail.decode(), remaining, rest_us / 1e6, wait_us / 1e6)

    def _admit_all(self, questions: list[Question]) -> list[Any]:
        keys: list[str] = []
        args: list[Any] = [f"claim:{secrets.token_hex(8)}:", CLAIM_MS]
        for rate, key, cost, claim in questions:
            keys += (key, claim)
            args += (rate.interval_us, rate.burst, cost)
        answers: list[Any] = self._script(keys, args)
        return answers

    def _ask_here(self, rate: Rate, key: str, cost: int) -> Verdict:
        """The same algorithm as admit.lua, for this worker alone, in seconds of its monotonic clock."""
        now_s = time.monotonic()
        interval_s = rate.interval_us / 1e6
        arrival_s = max(self._local.get(key, now_s), now_s)
        charged_s = max(arrival_s + cost * interval_s, now_s)
        wait_s = charged_s - now_s - interval_s * rate.burst
        if wait_s > 0:
            return Verdict("limited", "", 0, arrival_s - now_s, wait_s)
        self._local[key] = charged_s
        remaining = int(rate.burst - (charged_s - now_s) / interval_s)
        return Verdict("admitted", "", remaining, charged_s - now_s, 0.0)


def accepted(entries: Iterable[Entry]) -> dict[str, str]:
    """What is to be remembered of the messages that these entries create: by key, for REMEMBER_S."""
    messages = [entry.body["message"] for entry in entries if entry.type == "message.created"]
    return {_send_key(one["sender"]["id"], one["localId"]): f"done:{one['id']}" for one in messages}


def _send_key(user_id: str, local_id: str) -> str:
    return f"chat:send:{user_id}:{local_id}"
