"""`Loop`: one supervised greenlet that runs a step again and again and survives the step's failures."""

import logging
import random
from collections.abc import Callable

import gevent
from gevent.event import Event as Flag

from chatapp.errors import ChatError
from chatapp.errors import RedisAway

log = logging.getLogger(__name__)

BACKOFF_FIRST_S = 0.1
# Long enough not to flood a log or a server that is coming up, short enough to be back soon after it.
BACKOFF_MAX_S = 2.0
SOON_S = 0.25
STOP_TIMEOUT_S = 2.0


def later(seconds: float, call: Callable[[], None]) -> None:
    """Call it once, after so many seconds."""
    gevent.spawn_later(seconds, call)


class Loop:
    """Call `step` whenever `wake` was called, and at least every `interval_s` seconds.

    After a step, at least `pause_s` pass before the next, so that work can gather. A failing step is logged and tried
    again with a growing pause, of SOON_S at most after those failures that are `soon` over; it never ends the loop.
    `refused_by` is what a dependency raises that is there and refuses.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], object],
        *,
        interval_s: float,
        pause_s: float = 0.0,
        backoff_max_s: float = BACKOFF_MAX_S,
        soon: Callable[[Exception], bool] = lambda error: False,
        refused_by: type[Exception] | None = None,
    ) -> None:
        self.name = name
        self._step = step
        self._interval_s = interval_s
        self._pause_s = pause_s
        self._backoff_max_s = backoff_max_s
        self._soon = soon
        self._expected = (ChatError, OSError, *([refused_by] if refused_by is not None else []))
        self._wake = Flag()
        self._stopped = Flag()
        self._greenlet: gevent.Greenlet[[], None] | None = None
        self._failing: str | None = None

    def start(self) -> None:
        self._greenlet = gevent.spawn(self._run)
        self._greenlet.name = self.name

    def wake(self) -> None:
        self._wake.set()

    def stop(self) -> None:
        """End after the running step, within STOP_TIMEOUT_S."""
        self._stopped.set()
        self._wake.set()
        if self._greenlet is not None:
            self._greenlet.join(timeout=STOP_TIMEOUT_S)
            self._greenlet.kill(timeout=STOP_TIMEOUT_S)
            self._greenlet = None

    def _run(self) -> None:
        backoff_s = BACKOFF_FIRST_S
        while not self._stopped.is_set():
            self._wake.clear()
            try:
                self._step()
                backoff_s = BACKOFF_FIRST_S
                self._recovered()
            except Exception as error:
                self._log(error)
                pause_s = min(backoff_s, SOON_S) if self._soon(error) else backoff_s
                self._stopped.wait(pause_s * random.uniform(0.5, 1.0))
                backoff_s = min(backoff_s * 2, self._backoff_max_s)
                continue
            if self._pause_s:
                self._stopped.wait(self._pause_s)
            if self._interval_s:
                self._wake.wait(self._interval_s)
            else:
                # The step waits by itself: this only lets the others go on.
                gevent.sleep(0)

    def _log(self, error: Exception) -> None:
        if isinstance(error, RedisAway):
            return  # Said where it was noticed.
        # A dependency that is away or refuses is one line, once; anything else is a defect and shows where.
        failing = ": ".join([type(error).__name__, *str(error).splitlines()[:1]])
        expected = isinstance(error, self._expected)
        if failing != self._failing:
            log.warning("%s: %s", self.name, failing, exc_info=not expected)
        self._failing = failing

    def _recovered(self) -> None:
        if self._failing is not None:
            log.info("%s: works again", self.name)
            self._failing = None
