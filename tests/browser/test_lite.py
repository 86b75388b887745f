"""The pages without scripts, in a browser that runs none."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import FrameLocator
from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as LookedInVain
from playwright.sync_api import expect

from tests.support.person import Person as Caller
from tests.support.service import Service
from tests.support.tcp_proxy import TcpProxy

from .conftest import Person

People = Callable[..., Person]

# The log comes again every quarter of a minute.
REFRESH_MS = 45_000
LOOKS = [
    # What is left of a desktop at 400 %.
    ("zoomed", {"width": 320, "height": 200}, "light"),
    ("phone", {"width": 360, "height": 640}, "light"),
    ("phone-dark", {"width": 360, "height": 640}, "dark"),
    ("desktop", {"width": 1280, "height": 800}, "light"),
    ("desktop-dark", {"width": 1280, "height": 800}, "dark"),
]


@pytest.fixture
def owner(site: Service) -> Caller:
    with Caller(site.url, "Owner") as owner:
        yield owner


@pytest.fixture
def room(owner: Caller) -> str:
    name = owner.create_room()
    owner.send(name, "Welcome")
    return name


def enter(person: People, name: str, room: str, **options: object) -> Page:
    """Someone whose browser runs no script, at a room that they have joined."""
    someone = person(java_script_enabled=False, **options)
    page = someone.page
    page.goto(f"{someone.url}/lite/{room}")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Join chat").click()
    page.get_by_role("button", name="Join", exact=True).click()
    expect(box(page)).to_be_visible()
    page.complaints = someone.complaints  # type: ignore[attr-defined]
    return page


def box(page: Page):  # type: ignore[no-untyped-def]
    return page.get_by_label("Message", exact=True)


def log(page: Page) -> FrameLocator:
    return page.frame_locator("iframe[name=log]")


def say(page: Page, body: str) -> None:
    box(page).fill(body)
    page.get_by_role("button", name="Send").click()
    expect(log(page).get_by_text(body.rpartition("\n")[2])).to_be_visible()


def refreshed(page: Page):  # type: ignore[no-untyped-def]
    """Waits for the log to be asked for again, by itself."""
    return page.expect_response(lambda answer: answer.url.endswith("/log"), timeout=REFRESH_MS)


def test_two_people_write_to_each_other_by_forms(person: People, room: str) -> None:
    ada, bob = enter(person, "Ada", room), enter(person, "Bob", room)
    say(ada, "hello Bob")
    expect(log(bob).get_by_text("hello Bob", exact=True)).to_be_visible(timeout=REFRESH_MS)
    say(bob, "hello Ada")
    expect(log(ada).get_by_text("hello Ada", exact=True)).to_be_visible(timeout=REFRESH_MS)
    # Bob's page has shown it, so it is delivered.
    mine = log(ada).locator(".message", has_text="hello Bob")
    expect(mine.locator(".notes")).to_have_text("Delivered", timeout=REFRESH_MS)
    # After sending, one goes on typing.
    expect(box(ada)).to_be_focused()
    expect(box(ada)).to_have_value("")
    # A reload sends nothing again.
    bob.reload()
    expect(log(bob).get_by_text("hello Ada", exact=True)).to_have_count(1)
    assert ada.complaints == []  # type: ignore[attr-defined]
    assert bob.complaints == []  # type: ignore[attr-defined]


def test_what_is_being_typed_stays_when_the_log_comes_again(person: People, owner: Caller, room: str) -> None:
    ada = enter(person, "Ada", room, viewport={"width": 360, "height": 640})
    for number in range(30):
        owner.send(room, f"line {number}")
    box(ada).press_sequentially("half a sent")
    with refreshed(ada):
        pass
    # The newest is at the bottom, and seen, without any anchor.
    expect(log(ada).get_by_text("line 29", exact=True)).to_be_in_viewport()
    box(ada).press_sequentially("ence")
    expect(box(ada)).to_have_value("half a sentence")
    expect(box(ada)).to_be_focused()
    # So it does when one looks at what is older, which then waits for its reader.
    ada.get_by_role("link", name="Refresh").click()
    expect(log(ada).get_by_text("line 29", exact=True)).to_be_in_viewport()
    expect(box(ada)).to_be_in_viewport()
    log(ada).get_by_role("link", name="Pause").click()
    expect(log(ada).get_by_role("link", name="Go on by itself")).to_be_visible()
    expect(box(ada)).to_have_value("half a sentence")
    ada.get_by_role("button", name="Send").click()
    expect(log(ada).get_by_text("half a sentence", exact=True)).to_be_in_viewport()


@pytest.mark.parametrize("way", ["back", "again"])
def test_an_answer_that_is_lost_makes_no_second_message(
    person: People, owner: Caller, room: str, proxy: TcpProxy, way: str
) -> None:
    """Back, where the browser has kept the text, and Send; or the browser sends the form again by itself."""
    ada = enter(person, "Ada", room)
    say(ada, "first")
    proxy.swallow_replies()
    box(ada).fill("only once")
    with ada.expect_event("requestfailed", lambda request: request.method == "POST"):
        ada.get_by_role("button", name="Send").click(no_wait_after=True)
    proxy.heal()
    ada.wait_for_url("chrome-error://**")
    if way == "back":
        ada.go_back()
        expect(box(ada)).to_have_value("only once")
        ada.get_by_role("button", name="Send").click()
    else:
        ada.reload()
    expect(log(ada).get_by_text("only once", exact=True)).to_have_count(1)
    expect(box(ada)).to_have_value("")
    assert [one["body"] for one in owner.history(room)] == ["Welcome", "first", "only once"]


def test_a_link_in_a_message_opens_beside_the_chat(person: People, owner: Caller, site: Service, room: str) -> None:
    ada = enter(person, "Ada", room)
    owner.send(room, f"look at {site.url}/healthz please")
    ada.get_by_role("link", name="Refresh").click()
    with ada.context.expect_page() as opened:
        log(ada).get_by_role("link", name="healthz").click()
    assert opened.value.url == f"{site.url}/healthz"
    expect(box(ada)).to_be_visible()


@pytest.mark.parametrize(("name", "size", "scheme"), LOOKS)
def test_it_fits(person: People, owner: Caller, room: str, name: str, size: dict[str, int], scheme: str) -> None:
    owner.http.patch(f"/rooms/{room}", json={"title": "Reading group"})
    ada = enter(person, "Ada", room, viewport=size, color_scheme=scheme)
    owner.send(room, "שלום לכולם, and good morning. The notes are at https://example.org/notes.html (second page).")
    owner.send(room, "W" * 300)
    say(ada, "Thank you!\nI shall read them tonight.")
    owner.http.patch(f"/messages/{owner.send(room, 'No hurry')['id']}", json={"body": "No hurry at all."})
    owner.http.delete(f"/messages/{owner.send(room, 'gone')['id']}")
    ada.get_by_role("link", name="Refresh").click()
    whole, send = size["height"] >= 640, ada.get_by_role("button", name="Send")
    if whole:
        expect(log(ada).get_by_text("No hurry at all.")).to_be_in_viewport()
        expect(send).to_be_in_viewport(ratio=1)
    look(ada, f"room-{name}")
    box(ada).fill("x" * 4001)
    send.click()
    # What is wrong is seen first, however little of the page fits.
    expect(ada.get_by_role("alert")).to_be_in_viewport(ratio=0.9)
    if whole:
        expect(send).to_be_in_viewport(ratio=1)
    look(ada, f"refused-{name}")
    ada.get_by_role("link", name="All on one page").click()
    expect(ada.get_by_role("link", name="Let it refresh by itself")).to_be_visible()
    look(ada, f"plain-{name}")
    ada.get_by_role("link", name="All rooms").click()
    expect(ada.get_by_role("heading", name="Your rooms")).to_be_visible()
    look(ada, f"rooms-{name}")
    ada.get_by_role("button", name="Sign out").click()
    expect(ada.get_by_label("Name")).to_be_visible()
    look(ada, f"door-{name}")


def look(page: Page, name: str) -> None:
    """Nothing goes beyond the side of the screen, in the log neither. A picture where one is asked for."""
    fits = """() => document.readyState === 'complete' &&
      [document.documentElement, document.body].every((one) => one.scrollWidth === one.clientWidth)"""
    for frame in page.frames:
        try:
            # The log refreshes by itself: this is asked again of the page that comes. Not by its pictures, of which a
            # page that nobody looks at has few.
            frame.wait_for_function(fits, polling=100)
        except LookedInVain:
            found = frame.evaluate("""() => [document.readyState, ...[document.documentElement, document.body]
              .map((one) => [one.scrollWidth, one.clientWidth])]""")
            raise AssertionError(f"{name}: {frame.url} is wider than its frame: {found}") from None
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"lite-{name}.png")
