"""`Backoff`: how long to wait before trying again."""

import random

FIRST_S = 0.25
# A service that is back is noticed within this.
LONGEST_S = 15.0
# What a service, or a proxy that poses as one, may ask for at most.
RETRY_AFTER_MAX_S = 60.0
_DOUBLINGS_MAX = 16


class Backoff:
    """Doubles from try to try. Half of each wait is chance, so that many clients do not come back together."""

    def __init__(self) -> None:
        self._tries = 0

    def worked(self) -> None:
        self._tries = 0

    def failed(self, retry_after_s: float | None = None) -> float:
        """Seconds to wait now: at least what the service asked for."""
        ceiling_s = min(LONGEST_S, FIRST_S * float(1 << min(self._tries, _DOUBLINGS_MAX)))
        self._tries += 1
        wait_s = ceiling_s * random.uniform(0.5, 1.0)
        return max(wait_s, min(retry_after_s or 0.0, RETRY_AFTER_MAX_S))
