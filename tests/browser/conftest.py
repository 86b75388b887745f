"""A real Chromium in front of the real server, with a proxy between them that a test can cut."""

from collections.abc import Callable
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import BrowserContext
from playwright.sync_api import Page
from playwright.sync_api import expect

from tests.support.person import Person as Caller
from tests.support.service import Service
from tests.support.tcp_proxy import TcpProxy

PATIENCE_MS = 15_000  # two cores shared with other work

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def site(start_for_all: Callable[..., Service]) -> Service:
    return start_for_all("sqlite")


@pytest.fixture
def service_url(site: Service) -> str:
    return site.url


@pytest.fixture
def proxy(service_url: str) -> Iterator[TcpProxy]:
    address = urlsplit(service_url)
    assert address.hostname
    assert address.port
    with TcpProxy(address.hostname, address.port) as proxy:
        yield proxy


class Person:
    """Someone with a browser of their own, and what the browser complained about."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.url = url
        self.complaints: list[str] = []
        self.page = self.new_page()

    def new_page(self) -> Page:
        page = self.context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        return page

    def sign_in(self, name: str, path: str = "/", live: str = "Live") -> None:
        self.page.goto(self.url + path)
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_role("button", name="Join chat").click()
        expect(self.box).to_be_visible()
        if live:
            self.is_live(live)

    def is_live(self, text: str = "Live") -> None:
        expect(self.page.locator("#status-text")).to_have_text(text)

    @property
    def box(self):  # type: ignore[no-untyped-def]
        return self.page.get_by_role("textbox", name="Message", exact=True)

    def choose(self, menu: str, choice: str) -> None:
        choose(self.page, menu, choice)

    def act(self, body: str, choice: str) -> None:
        """One of the things that can be done with a message."""
        row = self.rows(body)
        row.locator(".message").hover()
        row.get_by_role("button", name="More").click()
        self.page.get_by_role("menu").get_by_text(choice, exact=True).click()

    def say(self, body: str) -> None:
        self.box.fill(body)
        self.box.press("Enter")

    def rows(self, body: str):  # type: ignore[no-untyped-def]
        return self.page.locator("#log .row", has=self.page.locator(".message__body").get_by_text(body, exact=True))

    def shows(self, body: str, status: str = "", count: int = 1) -> None:
        rows = self.rows(body)
        expect(rows).to_have_count(count)
        if status:
            expect(rows.locator(".message__status")).to_have_attribute("aria-label", status)


def choose(page: Page, menu: str, choice: str) -> None:
    """One of the choices of a menu that a button opens."""
    page.get_by_role("button", name=menu).click()
    page.get_by_role("menu").get_by_text(choice, exact=True).click()


def sign_out(page: Page) -> None:
    choose(page, "Your settings", "Sign out")
    page.get_by_role("dialog").get_by_role("button", name="Sign out").click()


@pytest.fixture
def person(browser: Browser, proxy: TcpProxy) -> Iterator[Callable[..., Person]]:
    """Makes people; each has cookies and storage of their own."""
    contexts = []

    def make(name: str = "", path: str = "/", live: str = "Live", **options: object) -> Person:
        context = browser.new_context(**options)  # type: ignore[arg-type]
        contexts.append(context)
        made = Person(context, proxy.url)
        if name:
            made.sign_in(name, path, live)
        return made

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def bob(service_url: str) -> Iterator[Caller]:
    """Somebody without a browser, who calls the API."""
    with Caller(service_url, "Bob") as bob:
        yield bob
