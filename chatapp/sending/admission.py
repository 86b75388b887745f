"""`Admission`: may this send go ahead? Rate limit, localId claim, and what became of a localId."""

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from redis import Redis

from chatapp.errors import ChatError
from chatapp.errors import RedisAway
from chatapp.eventlog import send_outcomes
from chatapp.runtime import Gather
from chatapp.runtime import Recent
from chatapp.runtime import pause_s
from chatapp.sending.rate import Rate
from chatapp.sending.rate import Ruling
from chatapp.sending.rate import Verdict
from chatapp.storage import QUICK_TIMEOUT_S
from chatapp.storage import RedisLink

# A claim outlives every send (10 s) and then gives way, should its worker have died.
CLAIM_MS = 15_000
LOCAL_USERS_MAX = 10_000
# How many refusals of a user are remembered: a batch or two in ten seconds, some 2 MB in ten minutes.
REFUSALS_MAX = 200
REFUSALS_PERIOD_S = 10
# One call of the script holds Redis for about a millisecond at this size.
BATCH_MAX = 100
# Of several workers each has a part of those who ask, who gather a little longer.
PAUSE_S = 0.002
PAUSE_MAX_S = 0.005
# The call that is under way, then one's own.
ASK_TIMEOUT_S = 2 * QUICK_TIMEOUT_S + 0.1

# Rate, its key, cost, and the key of a localId or "".
Question = tuple[Rate, str, int, str]


class Admission:
    """Redis is the shortcut, for all workers; while it is away, a limit in this worker's memory.

    Only the database keeps anything from being stored twice, never this.
    """

    def __init__(self, link: RedisLink, rate: Rate, *, workers: int = 1) -> None:
        self.rate = rate
        self._link = link
        self._script = link.quick.script("admit")
        self._gather = Gather(
            self._admit_all,
            most=BATCH_MAX,
            timeout_s=ASK_TIMEOUT_S,
            pause_s=pause_s(workers, each_s=PAUSE_S, most_s=PAUSE_MAX_S),
        )
        self._refuse = link.quick.script("refuse")
        self._local: Recent[str, float] = Recent(LOCAL_USERS_MAX)

    def admit(self, user_id: str, local_id: str) -> Ruling:
        """Ask for one send; `admitted` has charged it and claimed the localId."""
        return self._ask(self.rate, f"chat:rate:{user_id}", 1, send_outcomes.send_key(user_id, local_id))

    def peek(self, user_id: str) -> Ruling:
        """How much is left, without a charge."""
        return self._ask(self.rate, f"chat:rate:{user_id}", 0)

    def refund(self, user_id: str) -> None:
        """Give one charge back: the send turned out a replay, or its outcome is open."""
        self._ask(self.rate, f"chat:rate:{user_id}", -1)

    def charge(self, rate: Rate, key: str) -> None:
        """Ask for one of something other than sends. Raises RateLimited."""
        ruling = self._ask(rate, f"chat:{rate.name}:{key}", 1)
        if ruling.verdict is Verdict.LIMITED:
            raise ruling.refusal()

    def charge_refused(self, user_id: str) -> Ruling:
        """A send that is refused costs one like any other; `limited`: not even that is left."""
        return self._ask(self.rate, f"chat:rate:{user_id}", 1)

    def refused(self, user_id: str, local_id: str, error: ChatError) -> None:
        """Remember why nothing was stored, of a user who is refused very often only now and then."""
        keys = [send_outcomes.send_key(user_id, local_id), f"chat:refusals:{user_id}"]
        with suppress(RedisAway):
            self._refuse(
                keys, [send_outcomes.refused(error), send_outcomes.REMEMBER_S, REFUSALS_MAX, REFUSALS_PERIOD_S]
            )

    def release(self, user_id: str, local_id: str) -> None:
        """Drop the claim: the outcome is open and the client sends again."""
        self._quietly(lambda redis: redis.delete(send_outcomes.send_key(user_id, local_id)))

    def in_flight_or_failed(self, user_id: str, local_ids: list[str]) -> dict[str, dict[str, Any] | None]:
        """Of these localIds, those in flight (None) and those refused (the problem)."""
        keys = [send_outcomes.send_key(user_id, local_id) for local_id in local_ids]
        states: list[bytes | None] = self._quietly(lambda redis: redis.mget(keys)) or [None] * len(keys)
        found: dict[str, dict[str, Any] | None] = {}
        for local_id, state in zip(local_ids, states, strict=True):
            problem = send_outcomes.problem_of(state, local_id)
            if problem is not None or send_outcomes.in_flight(state):
                found[local_id] = problem
        return found

    def _quietly(self, ask: Callable[[Redis], Any]) -> Any:
        """Redis only shortens the way: without it, the database answers."""
        try:
            return self._link.quick.call(ask)
        except RedisAway:
            return None

    def _ask(self, rate: Rate, key: str, cost: int, claim: str = "") -> Ruling:
        try:
            verdict, remaining, rest_us, wait_us = self._gather.ask((rate, key, cost, claim))
        except (RedisAway, TimeoutError):
            return self._ask_here(rate, key, cost)
        # Should Redis go away now, the limit goes on from here.
        self._local[key] = time.monotonic() + rest_us / 1e6
        return Ruling(rate, Verdict(verdict.decode()), remaining, rest_us / 1e6, wait_us / 1e6)

    def _admit_all(self, questions: list[Question]) -> list[Any]:
        keys: list[str] = []
        args: list[Any] = [f"claim:{secrets.token_hex(8)}:", CLAIM_MS]
        for rate, key, cost, claim in questions:
            # An empty key is one that a server's ACL of this service's keys forbids.
            keys += (key, claim or key)
            args += (rate.interval_us, rate.burst, cost)
        answers: list[Any] = self._script(keys, args)
        return answers

    def _ask_here(self, rate: Rate, key: str, cost: int) -> Ruling:
        """The same algorithm as admit.lua, for this worker alone, in seconds of its monotonic clock."""
        now_s = time.monotonic()
        interval_s = rate.interval_us / 1e6
        arrival_s = max(self._local.get(key, now_s), now_s)
        charged_s = max(arrival_s + cost * interval_s, now_s)
        wait_s = charged_s - now_s - interval_s * rate.burst
        if wait_s > 0:
            return Ruling(rate, Verdict.LIMITED, 0, arrival_s - now_s, wait_s)
        self._local[key] = charged_s
        remaining = int(rate.burst - (charged_s - now_s) / interval_s)
        return Ruling(rate, Verdict.ADMITTED, remaining, charged_s - now_s, 0.0)
