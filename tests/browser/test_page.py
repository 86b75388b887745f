"""The page itself: what it refuses to run, how it scrolls, how it looks."""

import os
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from .conftest import Person

People = Callable[..., Person]

HOSTILE = [
    "<script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "javascript:window.hacked=1",
]


def test_40_hostile_bodies_stay_text_and_nothing_offends_the_policy(person: People) -> None:
    ada, bob = person("Ada"), person("Bob")
    for body in HOSTILE:
        ada.say(body)
        bob.shows(body)
    ada.say("a link: https://example.org/path, and http://[ is none")
    link = bob.page.get_by_role("link", name="https://example.org/path")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    assert bob.page.evaluate("window.hacked") is None
    for someone in (ada, bob):
        # The browser itself reports the 401 that says "not signed in yet".
        assert [line for line in someone.complaints if "401" not in line] == []


def test_policy_is_strict(person: People) -> None:
    ada = person()
    response = ada.page.goto(ada.url)
    assert response
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy


def test_long_talk_keeps_few_rows_and_loads_older(person: People) -> None:
    ada = person("Ada")
    title = f"Long {uuid.uuid4().hex[:8]}"
    room = title.lower().replace(" ", "-")
    send = """async ([room, count]) => {
      const headers = {'Content-Type': 'application/json'};
      const post = (path, body) => fetch('/api/v1' + path, {method: 'POST', headers, body: JSON.stringify(body)});
      await post('/rooms', {name: room, title: room});
      for (let n = 0; n < count; n += 1) {
        for (;;) {
          const answer = await post(`/rooms/${room}/messages`, {localId: `long-${room}-${n}`, body: `number ${n}`});
          if (answer.ok) break;
          await new Promise(resolve => setTimeout(resolve, 1000 * answer.headers.get('Retry-After')));
        }
      }
    }"""
    count = 75  # more than a page of 50; the rate limit makes more slow
    ada.page.evaluate(send, [room, count])
    ada.page.goto(f"{ada.url}/rooms/{room}")
    ada.shows(f"number {count - 1}")
    assert ada.page.locator("#log .row").count() <= 150
    anchor = ada.rows(f"number {count - 50}")
    ada.page.locator("#scroller").evaluate("scroller => { scroller.scrollTop = 0 }")
    ada.shows("number 0")
    top = anchor.bounding_box()
    assert top
    assert abs(top["y"] - ada.page.locator("#scroller").bounding_box()["y"]) < 200  # type: ignore[index]
    expect(ada.page.get_by_role("button", name="↓ Latest")).to_be_visible()
    ada.page.locator("#scroller").evaluate("scroller => { scroller.scrollTop = 0 }")
    expect(ada.page.get_by_text("This is the beginning of")).to_be_visible()
    ada.page.get_by_role("button", name="↓ Latest").click()
    expect(ada.rows(f"number {count - 1}")).to_be_in_viewport()
    expect(ada.page.locator("#to-latest")).to_be_hidden()


def test_37_all_by_keyboard(person: People) -> None:
    ada = person("Ada")
    ada.page.keyboard.press("F6")
    expect(ada.page.get_by_role("link", name="General")).to_be_focused()
    ada.page.keyboard.press("F6")
    expect(ada.page.get_by_role("button", name="People in this room")).to_be_focused()
    ada.page.keyboard.press("F6")
    expect(ada.page.get_by_role("log")).to_be_focused()
    ada.page.keyboard.press("F6")
    expect(ada.box).to_be_focused()
    ada.page.keyboard.press("Control+/")
    expect(ada.page.get_by_role("dialog")).to_be_visible()


def test_38_chosen_theme_is_kept(person: People) -> None:
    ada = person("Ada", color_scheme="light")
    ada.choose("Your settings", "Dark")
    ada.page.reload()
    expect(ada.page.locator("html")).to_have_attribute("data-theme", "dark")
    ada.choose("Your settings", "As the system")
    ada.page.reload()
    expect(ada.page.locator("html")).not_to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (360, 640)])
def test_39_fits_the_screen(person: People, scheme: str, width: int, height: int) -> None:
    ada = person("Ada Lovelace", viewport={"width": width, "height": height}, color_scheme=scheme)
    bob = person("Bob")
    ada.say("Does this fit? " + "w" * 400)
    answer = f"It does, see https://example.org/a/rather/long/path?that=does&not=end&at={scheme}-{width}"
    bob.say(answer)
    ada.shows(answer)
    assert ada.page.evaluate("document.documentElement.scrollWidth") <= width
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        ada.page.screenshot(path=Path(folder) / f"chat-{scheme}-{width}.png")
    if width < 900:
        ada.page.get_by_role("button", name="Open the room list").click()
        expect(ada.page.get_by_role("link", name="General")).to_be_in_viewport()
        ada.page.keyboard.press("Escape")
        expect(ada.page.get_by_role("button", name="Open the room list")).to_be_focused()
