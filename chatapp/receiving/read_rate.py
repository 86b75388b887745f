"""`ReadRate`: how much one user may read from one worker, so that nobody's reading takes the worker from the others."""

import time

from chatapp.errors import RateLimited
from chatapp.runtime import Recent

# A unit is about a millisecond of the loop: a plain request, or so many events. A fifth of the loop is for one user:
# eight hundred polls a second, or ten thousand events to catch up with; at once, two and a half times as much.
PER_SECOND = 200.0
BURST = 500.0
POLL_UNITS = 0.25
EVENTS_PER_UNIT = 50
USERS_MAX = 20_000


class ReadRate:
    """The generic cell rate algorithm (ITU-T I.371) in this worker's memory: another worker has a rate of its own.

    What a request turns out to cost is added after it, so a user may be in debt.
    """

    def __init__(self) -> None:
        self._arrivals: Recent[str, float] = Recent(USERS_MAX)

    def charge(self, user_id: str, units: float = 1.0) -> None:
        """Raises RateLimited when the user has read too much just now."""
        wait_s = self.wait_s(user_id)
        if wait_s > 0:
            raise RateLimited("Read more slowly.", retry_after_s=wait_s)
        self.add(user_id, units)

    def add(self, user_id: str, units: float) -> None:
        """What was read has cost this much more."""
        now_s = time.monotonic()
        self._arrivals[user_id] = max(self._arrivals.get(user_id, now_s), now_s) + units / PER_SECOND

    def add_events(self, user_id: str, count: int) -> None:
        """So many events were read, or fewer than was thought."""
        self.add(user_id, count / EVENTS_PER_UNIT)

    def wait_s(self, user_id: str) -> float:
        """For how many seconds the user is to read nothing; 0.0 if they may go on."""
        return max(0.0, self._arrivals.get(user_id, 0.0) - time.monotonic() - BURST / PER_SECOND)
