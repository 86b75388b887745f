"""`Typist`: a person in a real browser who writes something now and then."""

import itertools
import threading

from tests.faults.browser_actor import BrowserActor
from tests.faults.history import Record
from tests.support.processes import wait_until

PAUSE_S = 1.5
STOP_TIMEOUT_S = 60.0
# From healing until everyone has everything: the promise, fourfold, the browsers share the machine.
WHOLE_AGAIN_S = 4 * 15.0


class Typist(threading.Thread):
    def __init__(self, actor: BrowserActor) -> None:
        super().__init__(name=actor.name, daemon=True)
        self.actor = actor
        self._stopping = threading.Event()

    def run(self) -> None:
        for number in itertools.count():
            if self._stopping.wait(PAUSE_S):
                return
            self.actor.send(f"{self.name} types {number}")

    def finish(self) -> None:
        self._stopping.set()
        self.join(STOP_TIMEOUT_S)
        self.actor.wait_sent(self.actor.asked, WHOLE_AGAIN_S)

    def look(self, rows: list[Record]) -> None:
        """Wait until everything in the room was on the screen; then read it all again as the person sees it."""
        wanted = {row["id"] for row in rows if row["room"] == self.actor.room}
        wait_until(
            lambda: wanted <= self.actor.shown.keys(), WHOLE_AGAIN_S, f"{self.name} shows all {len(wanted)} messages"
        )
        self.actor.final_view(rows)
