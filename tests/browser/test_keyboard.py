"""All by keyboard, on a phone, at any size. The numbers are those of docs/ux.md."""

import re
import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.support.person import Person as Caller

from .conftest import Person

People = Callable[..., Person]


def focused(someone: Person) -> str:
    name: str = someone.page.evaluate("() => document.activeElement.id || document.activeElement.className")
    return name


def test_57_the_log_is_one_tab_stop_with_arrows_within(person: People, bob: Caller) -> None:
    ada = person("Ada")
    room = bob.create_room()
    for number in range(4):
        bob.send(room, f"row {number}")
    ada.page.goto(f"{ada.url}/rooms/{room}")
    ada.page.get_by_role("button", name="Join", exact=True).click()
    expect(ada.box).to_be_focused()
    expect(ada.page.locator("#log button:not([tabindex='-1']), #log a")).to_have_count(0)
    ada.page.locator("#scroller").focus()
    ada.page.keyboard.press("ArrowUp")
    expect(ada.rows("row 3")).to_be_focused()
    ada.page.keyboard.press("ArrowUp")
    expect(ada.rows("row 2")).to_be_focused()
    ada.page.keyboard.press("ArrowDown")
    expect(ada.rows("row 3")).to_be_focused()
    # Letters go where one writes.
    ada.page.keyboard.type("so")
    expect(ada.box).to_be_focused()
    expect(ada.box).to_have_value("so")


def test_57_the_focus_is_never_lost(person: People, bob: Caller) -> None:
    ada = person("Ada")
    expect(ada.box).to_be_focused()
    room = bob.create_room()
    ada.page.goto(f"{ada.url}/rooms/{room}")
    ada.page.get_by_role("button", name="Join", exact=True).press("Enter")
    expect(ada.box).to_be_focused()
    ada.choose("Room menu", "Leave")
    ada.page.get_by_role("dialog").get_by_role("button", name="Leave").press("Enter")
    expect(ada.page.get_by_role("button", name="Join", exact=True)).to_be_visible()
    expect(ada.page.locator("#room-title")).to_be_focused()
    ada.page.get_by_role("button", name="New room").press("Enter")
    title = ada.page.get_by_role("dialog").get_by_label("Title")
    title.fill(f"Keys {uuid.uuid4().hex[:6]}")
    title.press("Enter")
    expect(ada.box).to_be_focused()
    ada.page.route("**/messages", lambda route: route.fulfill(status=403, json={"code": "forbidden"}))
    for choice in ("Retry", "Delete"):
        ada.say(f"refused {choice}")
        ada.shows(f"refused {choice}", "Not sent")
        ada.rows(f"refused {choice}").get_by_role("button", name=choice).press("Enter")
        expect(ada.box).to_be_focused()


def test_57_f6_goes_round_and_a_button_lists_the_keys(person: People, bob: Caller) -> None:
    ada = person("Ada")
    room = bob.create_room()
    ada.page.goto(f"{ada.url}/rooms/{room}")
    join = ada.page.get_by_role("button", name="Join", exact=True)
    expect(join).to_be_visible()
    expect(ada.page.locator("a[data-room=general]")).to_be_visible()
    ada.page.locator("#room-title").focus()
    seen = []
    for _ in range(4):
        ada.page.keyboard.press("F6")
        seen.append(focused(ada))
    assert seen == ["scroller", "join-room", "rooms__item", "open-people"]
    ada.page.keyboard.press("F6")
    ada.page.keyboard.press("F6")
    ada.page.keyboard.press("Shift+F6")
    assert focused(ada) == "scroller"
    ada.page.keyboard.press("?")
    keys = ada.page.locator("#shortcuts-dialog")
    expect(keys).to_be_visible()
    ada.page.keyboard.press("Escape")
    ada.choose("Your settings", "Keys")
    expect(keys).to_be_visible()


def test_33_and_57_end_in_an_empty_box_and_the_draft_of_each_room(person: People, bob: Caller) -> None:
    ada = person("Ada")
    for number in range(40):
        bob.send("general", f"many {number} {bob.id}")
    ada.shows(f"many 39 {bob.id}")
    ada.page.locator("#scroller").evaluate("scroller => { scroller.scrollTop -= 700 }")
    expect(ada.page.locator("#to-latest")).to_be_visible()
    ada.box.press("End")
    expect(ada.page.locator("#to-latest")).to_be_hidden()
    ada.box.fill("?")
    ada.box.press("?")
    expect(ada.box).to_have_value("??")
    ada.page.reload()
    expect(ada.box).to_have_value("??")


def test_57_the_box_follows_its_width_and_text_size(person: People) -> None:
    ada = person("Ada")
    ada.box.fill("words that break " * 12)
    fits = "() => { const b = document.getElementById('composer-input'); return b.scrollHeight - b.clientHeight; }"
    height = "() => document.getElementById('composer-input').clientHeight"
    wide = ada.page.evaluate(height)
    ada.page.set_viewport_size({"width": 420, "height": 700})
    expect(ada.box).not_to_have_css("height", f"{wide}px")
    assert ada.page.evaluate(fits) <= 0
    ada.page.evaluate("() => { document.documentElement.style.fontSize = '200%'; }")
    expect(ada.page.locator("#room-title")).to_have_css("font-size", "34px")
    ada.box.press("End")
    assert ada.page.evaluate("() => document.documentElement.scrollWidth") <= 420


@pytest.mark.parametrize(("width", "height"), [(320, 256), (360, 640)])
def test_37_and_39_nothing_stands_beside_the_screen(person: People, bob: Caller, width: int, height: int) -> None:
    """320 by 256 is a usual screen at 400 %."""
    ada = person("Ada", viewport={"width": width, "height": height}, has_touch=True, is_mobile=True)
    bob.send("general", "w" * 4000)
    bob.send("general", f"```\n{'code ' * 60}\n```")
    for text in (f"https://example.org/{bob.id}/" + "path/" * 60, f"the last {bob.id}"):
        bob.send("general", text)
        ada.shows(text)
    assert ada.page.evaluate("() => document.documentElement.scrollWidth") <= width
    assert ada.page.evaluate("() => document.getElementById('scroller').scrollWidth") <= width
    expect(ada.box).to_be_in_viewport()
    small = ada.page.evaluate(
        """() => [...document.querySelectorAll('button, a.rooms__item, input, textarea')]
             .filter(each => each.offsetParent && !each.closest('.message, [inert]'))
             .filter(each => each.offsetWidth && each.offsetHeight < 43.5).map(each => each.id || each.className)"""
    )
    assert small == []


def test_39_the_page_itself_neither_scrolls_nor_reloads_by_pulling(person: People) -> None:
    ada = person("Ada", viewport={"width": 360, "height": 640}, has_touch=True, is_mobile=True)
    for part in ("html", "body"):
        expect(ada.page.locator(part)).to_have_css("overscroll-behavior-y", "none")
    expect(ada.page.locator("#scroller")).to_have_css("overscroll-behavior-y", "contain")
    viewport = ada.page.locator("meta[name=viewport]")
    expect(viewport).to_have_attribute("content", re.compile("interactive-widget=resizes-content"))


def test_58_a_dropped_file_does_not_replace_the_page_and_paper_has_all(person: People, bob: Caller) -> None:
    ada = person("Ada")
    for number in range(120):
        bob.send("general", f"paper {number} {bob.id}")
    ada.shows(f"paper 119 {bob.id}")
    prevented = ada.page.evaluate(
        """() => ['dragover', 'drop'].map(kind => {
             const data = new DataTransfer();
             data.items.add(new File(['x'], 'x.html', {type: 'text/html'}));
             const event = new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: data});
             document.getElementById('composer-input').dispatchEvent(event);
             return event.defaultPrevented;
           })"""
    )
    assert prevented == [True, True]
    ada.page.emulate_media(media="print")
    ada.page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    expect(ada.page.locator("#sidebar")).to_be_hidden()
    expect(ada.box).to_be_hidden()
    on_paper = ada.page.evaluate("() => document.querySelector('.chat').scrollHeight")
    assert on_paper > 100 * 22
    ada.page.evaluate("() => window.dispatchEvent(new Event('afterprint'))")
