"""`Rate`, a limit, and `Ruling`, what it says to one request. Pure values."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from chatapp.errors import RateLimited

# So that a client never comes back at once.
WAIT_MIN_S = 0.001


@dataclass(frozen=True)
class Rate:
    """`burst` at once, then `per_second`. `name` is its name on the wire."""

    name: str
    burst: int
    per_second: float

    @property
    def interval_us(self) -> float:
        """Microseconds between two at the steady rate."""
        return 1_000_000 / self.per_second

    @cached_property
    def policy(self) -> str:
        """The RateLimit-Policy field (draft-ietf-httpapi-ratelimit-headers): quota and its window in seconds."""
        return f'"{self.name}";q={self.burst};w={max(1, round(self.burst / self.per_second))}'


# What makes rooms and memberships, by one user over all workers: each is an event for all members, and a room stays.
NEW_ROOMS = Rate("rooms", 20, 20 / 3600)
MOVES = Rate("members", 60, 60 / 60)
NEW_DIRECT = Rate("direct", 10, 10 / 60)
# What is added to messages that grow, as often as people can see it change.
APPENDS = Rate("appends", 50, 50)
# Cookies for a host's token: each is a row for as long as the token lives.
SESSIONS = Rate("sessions", 30, 30 / 60)


class Verdict(StrEnum):
    """May it go ahead? The words are those of admit.lua."""

    ADMITTED = "admitted"
    # It was accepted before.
    KNOWN = "known"
    IN_FLIGHT = "in_flight"
    LIMITED = "limited"


@dataclass(frozen=True, slots=True)
class Ruling:
    """`remaining` may go ahead at once, all of the burst again in `rest_s` seconds, a limited one in `wait_s`."""

    rate: Rate
    verdict: Verdict
    remaining: int
    rest_s: float
    wait_s: float

    @property
    def fields(self) -> list[tuple[str, str]]:
        """What is left of the rate, as header fields."""
        left = f"r={max(0, self.remaining)};t={max(0, round(self.rest_s + 0.5))}"
        return [("RateLimit-Policy", self.rate.policy), ("RateLimit", f'"{self.rate.name}";{left}')]

    def refusal(self, *, with_fields: bool = False) -> RateLimited:
        """The error to raise. `with_fields` where the contract has them in the answer."""
        fields = self.fields if with_fields else ()
        return RateLimited("Slow down.", retry_after_s=max(WAIT_MIN_S, self.wait_s), fields=fields)
