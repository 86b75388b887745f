"""`LegacyActor`: a person at the page for old browsers, by long poll and XMLHttpRequest."""

from typing import Any

from playwright.sync_api import Page

from tests.faults.browser_actor import STEPS_MAX
from tests.faults.browser_actor import BrowserActor


class LegacyActor(BrowserActor):
    query = "?transport=poll"

    def _read_all(self, page: Page) -> list[dict[str, Any]]:
        """From the end to the beginning: its way down is a leap to the newest, over what lies between."""
        self._reading_back = True
        seen: list[dict[str, Any]] = []
        at_beginning = False
        for _ in range(STEPS_MAX):
            rows = page.evaluate("labReader.read()")
            ids = [row["id"] for row in rows]
            # Where what was read before goes on; without it the view has a hole, which is for the checker to say.
            end = ids.index(seen[0]["id"]) if seen and seen[0]["id"] in ids else len(rows)
            seen = rows[:end] + seen
            if at_beginning:
                break
            at_beginning = page.evaluate("labReader.up()")
        self._reading_back = False
        return seen
