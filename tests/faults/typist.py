"""`Typist`: a person in a real browser who writes something now and then."""

import itertools

from tests.faults.actor import Actor
from tests.faults.at_the_pages import PageActor
from tests.faults.history import Record

PAUSE_S = 1.5
# From healing until everyone has everything: the promise, fourfold, because the browsers share the machine.
WHOLE_AGAIN_S = 4 * 15.0


class Typist(Actor):
    def __init__(self, actor: PageActor) -> None:
        super().__init__(actor.name)
        self.actor = actor

    def act(self) -> None:
        for number in itertools.count():
            if self.stopping.wait(PAUSE_S):
                return
            self.actor.send(f"{self.name} types {number}")

    def wait(self) -> None:
        """Until the page shows everything as sent."""
        super().wait()
        self.actor.wait_sent(self.actor.asked, WHOLE_AGAIN_S)

    def look(self, rows: list[Record]) -> None:
        """Wait until all that came since the page was opened was on the screen; then read the whole room again as the
        person sees it. What is older than the first page of the history is only reached by scrolling."""
        wanted = {row["id"] for row in rows if row["room"] == self.actor.room and self.actor.since_opened(row)}
        self.actor.wait_shown(wanted, WHOLE_AGAIN_S)
        self.actor.final_view(rows)
