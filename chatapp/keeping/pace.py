"""`Pace`: lets the service publish what a command writes, before more is written."""

import time

from chatapp.eventlog import Backlog
from chatapp.storage import Database

# Between two steps of work: as long as one takes, so that the service goes on.
PAUSE_S = 0.05
# What is said meanwhile waits behind no more than these: a tenth of a second.
WAITING_MAX = 500
POLL_S = 0.05
# If nothing is published for so long, nobody is there to publish.
STILL_S = 5.0


class Pace:
    def __init__(self, database: Database) -> None:
        self._backlog = Backlog(database)
        # Whether the service runs, as far as is known.
        self._runs = True

    def keep(self) -> None:
        """Wait while much waits to be published, unless nobody does. Raises Unavailable."""
        least, since_s = self._backlog.look().rows, time.monotonic()
        while self._runs and least > WAITING_MAX:
            time.sleep(POLL_S)
            rows = self._backlog.look().rows
            if rows < least:
                least, since_s = rows, time.monotonic()
            self._runs = time.monotonic() - since_s < STILL_S
