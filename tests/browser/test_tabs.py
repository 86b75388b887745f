"""One user, many tabs. The numbers are those of docs/ux.md."""

import time
import uuid
from collections.abc import Callable

from playwright.sync_api import Page
from playwright.sync_api import Route
from playwright.sync_api import expect

from .conftest import PATIENCE_MS
from .conftest import Person
from .conftest import sign_out

People = Callable[..., Person]

# HTTP/1.1 gives a browser six connections to one server.
TABS = 7
WITHOUT_LOCKS = "Object.defineProperty(Navigator.prototype, 'locks', {value: undefined})"
HIDE = """() => {
  Object.defineProperty(document, 'hidden', {value: true, configurable: true});
  document.dispatchEvent(new Event('visibilitychange'));
}"""
SHOW = """() => {
  delete document.hidden;
  document.dispatchEvent(new Event('visibilitychange'));
}"""


class Tab:
    """One more tab of somebody, and how many streams it has asked for."""

    def __init__(self, someone: Person) -> None:
        self.streams = 0
        self.page: Page = someone.new_page()
        self.page.on("request", self._count)
        self.page.goto(someone.url)
        expect(self.page.locator("#status-text")).to_have_text("Live")

    def _count(self, request: object) -> None:
        self.streams += "/events/stream" in request.url  # type: ignore[attr-defined]

    def say(self, body: str) -> None:
        self.page.locator("#composer-input").fill(body)
        self.page.locator("#composer-input").press("Enter")

    def shows(self, body: str, timeout: float = PATIENCE_MS) -> None:
        row = self.page.locator("#log .message__body").get_by_text(body, exact=True)
        expect(row).to_have_count(1, timeout=timeout)


def body_of(what: str) -> str:
    return f"{what} {uuid.uuid4().hex[:8]}"


def test_41_seven_tabs_hold_one_stream_and_all_can_send(person: People) -> None:
    ada = person("Ada")
    tabs = [Tab(ada) for _ in range(TABS - 1)]
    # The first tab holds it.
    assert [tab.streams for tab in tabs] == [0] * (TABS - 1)
    for tab in tabs:
        body = body_of("from a tab")
        tab.say(body)
        for other in tabs:
            other.shows(body)
        ada.shows(body, "Sent")


def test_41_the_leader_is_closed_and_nothing_is_lost(person: People) -> None:
    ada, bob = person("Ada"), person("Bob")
    tabs = [Tab(ada) for _ in range(3)]
    before, after = body_of("before"), body_of("after")
    bob.say(before)
    for tab in tabs:
        tab.shows(before)
    ada.page.close()
    bob.say(after)
    for tab in tabs:
        tab.shows(after, timeout=2_000 * 4)
    assert sum(tab.streams for tab in tabs) == 1


def test_41_a_frozen_leader_is_not_waited_for(person: People) -> None:
    ada, bob = person("Ada"), person("Bob")
    tab = Tab(ada)
    # Its process does nothing else meanwhile.
    ada.page.evaluate("() => void setTimeout(() => { const end = Date.now() + 12_000; while (Date.now() < end); })")
    body = body_of("said to a frozen leader")
    bob.say(body)
    began_s = time.monotonic()
    tab.shows(body)
    # Two seconds, with fourfold room.
    assert time.monotonic() - began_s < 8
    assert tab.streams == 1


def test_41_without_locks_a_hidden_tab_lets_go_and_catches_up(person: People) -> None:
    ada, bob = person(), person("Bob")
    ada.context.add_init_script(WITHOUT_LOCKS)
    ada.sign_in("Ada")
    tab = Tab(ada)
    assert tab.streams == 1
    tab.page.evaluate(HIDE)
    expect(tab.page.locator("#status-text")).to_have_text("Not connected")
    body = body_of("said to a hidden tab")
    bob.say(body)
    ada.shows(body)
    tab.page.evaluate(SHOW)
    tab.shows(body)
    expect(tab.page.locator("#status-text")).to_have_text("Live")


def test_41_a_send_that_is_not_answered_is_said_though_the_stream_lives(person: People) -> None:
    ada = person("Ada")
    held: list[Route] = []
    ada.page.route("**/api/v1/rooms/*/messages", lambda route: route.continue_() if held else held.append(route))
    ada.say(body_of("on its way for long"))
    ada.is_live()
    expect(ada.page.locator("#queue")).to_have_text("1 waiting to be sent")
    held[0].continue_()
    expect(ada.page.locator("#queue")).to_have_text("")


def test_41_who_signs_out_in_one_tab_is_signed_out_in_all(person: People) -> None:
    ada = person("Ada")
    tabs = [Tab(ada) for _ in range(2)]
    sign_out(tabs[0].page)
    for page in (ada.page, *(tab.page for tab in tabs)):
        expect(page.get_by_label("Name")).to_be_visible()
        expect(page.locator("#chat")).to_be_hidden()
    # And in again, in each of them.
    tabs[1].page.get_by_label("Name").fill("Bea")
    tabs[1].page.get_by_role("button", name="Join chat").click()
    expect(tabs[1].page.locator("#status-text")).to_have_text("Live")
    for page in (ada.page, tabs[0].page):
        expect(page.locator("#user-name")).to_have_text("Bea")
        expect(page.locator("#status-text")).to_have_text("Live")
