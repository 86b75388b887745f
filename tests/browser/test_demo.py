"""`/demo`: what it promises is what a visitor sees."""

from collections.abc import Callable
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import FrameLocator
from playwright.sync_api import Locator
from playwright.sync_api import Page
from playwright.sync_api import expect

from tests.support.service import Service

from .conftest import PATIENCE_MS

# Two streams that say nothing for five seconds each, and a wait between them.
POLLING_WITHIN_MS = 45_000
SWITCHES = {"cut": "Cut the network", "hold": "Hold the stream back", "swallow": "Swallow the answer"}


class Side:
    """One half of the page: a frame, its switches and its log."""

    def __init__(self, page: Page, name: str) -> None:
        self.section = page.get_by_role("region", name=name, exact=True)
        self.frame: FrameLocator = self.section.frame_locator("iframe")

    def switch(self, name: str) -> None:
        """As a hand does it."""
        self.section.get_by_text(SWITCHES[name], exact=True).click()

    def is_live(self, text: str = "Live", timeout_ms: int = PATIENCE_MS) -> None:
        expect(self.frame.locator("#status-text")).to_have_text(text, timeout=timeout_ms)

    def say(self, body: str) -> None:
        box = self.frame.get_by_role("textbox", name="Message", exact=True)
        box.fill(body)
        box.press("Enter")

    def rows(self, body: str) -> Locator:
        bodies = self.frame.locator(".message__body").get_by_text(body, exact=True)
        return self.frame.locator("#log .row", has=bodies)

    def shows(self, body: str, status: str = "") -> None:
        expect(self.rows(body)).to_have_count(1, timeout=POLLING_WITHIN_MS)
        if status:
            mark = self.rows(body).locator(".message__status")
            expect(mark).to_have_attribute("aria-label", status, timeout=POLLING_WITHIN_MS)

    def logged(self, text: str) -> None:
        expect(self.section.locator("[data-log]")).to_contain_text(text)


class Demo:
    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        page.goto(f"{url}/demo")
        self.ada, self.bob = Side(page, "Ada"), Side(page, "Bob")


@pytest.fixture(scope="module")
def demo_service(start_service: Callable[..., Service]) -> Service:
    return start_service("sqlite")


@pytest.fixture
def demo(browser: Browser, demo_service: Service) -> Iterator[Demo]:
    """Opened by somebody new, with nothing switched on."""
    with browser.new_context() as context:
        demo = Demo(context.new_page(), demo_service.url)
        demo.ada.is_live()
        demo.bob.is_live()
        yield demo
        for box in demo.page.get_by_role("switch", checked=True).all():
            with demo.page.expect_response("**/demo/switches"):
                box.click()


def test_two_people_are_there_without_a_word_and_talk(demo: Demo) -> None:
    demo.ada.say("hello Bob")
    demo.bob.shows("hello Bob")
    demo.ada.shows("hello Bob", "Delivered")
    demo.bob.say("hello Ada")
    demo.ada.shows("hello Ada")
    demo.ada.logged("POST …/messages 201")
    assert demo.complaints == []


def test_by_another_name_of_this_machine_it_works_as_well(browser: Browser, demo_service: Service) -> None:
    with browser.new_context() as context:
        demo = Demo(context.new_page(), demo_service.url.replace("127.0.0.1", "localhost"))
        demo.ada.is_live()
        demo.bob.is_live()
        assert demo.complaints == []


def test_cut_off_ada_writes_and_reloads_and_it_arrives_once(demo: Demo) -> None:
    # From here on its page opens without the network.
    demo.ada.frame.locator("body").evaluate("() => navigator.serviceWorker.ready.then(() => undefined)")
    demo.ada.switch("cut")
    demo.ada.say("written while cut off")
    demo.ada.shows("written while cut off", "Sending")
    demo.ada.is_live("Reconnecting…")
    demo.ada.logged("connection cut")
    demo.ada.section.get_by_role("button", name="Reload").click()
    expect(demo.bob.rows("written while cut off")).to_have_count(0)
    demo.ada.switch("cut")
    demo.ada.shows("written while cut off", "Delivered")
    demo.bob.shows("written while cut off")
    demo.ada.is_live()


def test_a_stream_held_back_leads_to_polling_and_back(demo: Demo) -> None:
    demo.bob.switch("hold")
    demo.bob.is_live("Live (polling)", POLLING_WITHIN_MS)
    demo.bob.logged("stream held back")
    demo.ada.say("by poll")
    demo.bob.shows("by poll")
    demo.bob.say("and back")
    demo.ada.shows("and back")
    demo.bob.switch("hold")
    demo.bob.is_live("Live", POLLING_WITHIN_MS)


def test_a_swallowed_answer_makes_no_second_message(demo: Demo) -> None:
    demo.ada.switch("swallow")
    demo.ada.say("told nobody")
    demo.ada.logged("answer dropped")
    demo.bob.shows("told nobody")
    demo.ada.switch("swallow")
    demo.ada.shows("told nobody", "Delivered")
    demo.bob.shows("told nobody")


def test_a_killed_worker_is_followed_by_another(demo: Demo, demo_service: Service) -> None:
    [before] = demo_service.workers()
    expect(demo.page.locator("#worker")).to_have_text(f"number {before}")
    demo.page.get_by_role("button", name="Kill the worker").click()
    demo.ada.logged(f"killed (SIGKILL): worker {before}")
    demo.ada.say("written around the kill")
    demo.ada.shows("written around the kill", "Delivered")
    demo.bob.shows("written around the kill")
    demo.ada.is_live()
    demo.bob.is_live()
    [after] = demo_service.workers()
    assert after != before
    expect(demo.page.locator("#worker")).to_have_text(f"number {after}")


def test_the_switches_stand_as_they_are_after_a_reload(demo: Demo) -> None:
    with demo.page.expect_response("**/demo/switches"):
        demo.bob.switch("swallow")
    box = demo.bob.section.get_by_role("switch", name="Swallow the answer")
    expect(box).to_be_checked()
    demo.bob.logged("answers to sends are dropped")
    demo.page.reload()
    expect(box).to_be_checked()
    demo.bob.logged("answers to sends are dropped")


@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_and_is_by_keyboard(demo: Demo, width: int) -> None:
    demo.page.set_viewport_size({"width": width, "height": 720})
    assert demo.page.evaluate("document.documentElement.scrollWidth") <= width
    one, other = (demo.page.locator("section").nth(number).bounding_box() for number in (0, 1))
    assert one
    assert other
    assert (one["y"] == other["y"]) is (width >= 900)
    box = demo.ada.section.get_by_role("switch", name="Cut the network")
    box.focus()
    box.press("Space")
    demo.ada.logged("network cut")
    box.press("Space")
    demo.ada.logged("network restored")
