"""`SecondTab`: one more tab of somebody who is at the page already, in the same browser."""

from collections.abc import Callable
from typing import TypeVar

from playwright.sync_api import Page

from tests.faults.browser_actor import BrowserActor
from tests.faults.browser_thread import START_WITHIN_S
from tests.faults.browser_thread import BrowserThread

T = TypeVar("T")


class SecondTab(BrowserActor):
    """What it hears from the first tab and not from the server has no sender and no place until `final_view`."""

    def __init__(self, first: BrowserActor) -> None:
        self._first = first
        name, user_name = f"{first.name}-second", first.user_name
        super().__init__(first.history, name, first.url, user_name, first.room, profile=first.profile)
        self.user = first.user
        self._tabs = first._tabs
        self.browser.call(lambda page: self._take(page.context.new_page()))

    def call(self, work: Callable[[Page], T], seconds: float = START_WITHIN_S) -> T:
        return self.browser.call(lambda first: work(self._page or first), seconds)

    def close(self) -> None:
        """The browser ends with the first tab."""

    def _start(self) -> BrowserThread:
        return self._first.browser
