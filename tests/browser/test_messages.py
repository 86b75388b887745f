"""How a message is drawn and what can be done with it. The numbers are those of docs/ux.md."""

import re
import uuid
from collections.abc import Callable

from playwright.sync_api import expect

from tests.support.person import Person as Caller

from .conftest import Person

People = Callable[..., Person]


def row_of(someone: Person, message: dict[str, str]):  # type: ignore[no-untyped-def]
    return someone.page.locator(f"#log .row[data-id='{message['id']}']")


def test_47_signs_are_drawn_and_the_text_on_the_wire_stays(person: People, bob: Caller) -> None:
    ada = person("Ada", permissions=["clipboard-read", "clipboard-write"])
    body = "**bold** *it* ~~no~~ `co<b>de`\n```\nfenced  **not**\n```\n> quoted\n- one\n- two\nsee www.example.org"
    message = bob.send("general", body)
    assert message["body"] == body
    row = row_of(ada, message)
    text = row.locator(".message__body")
    for tag, content in (("strong", "bold"), ("em", "it"), ("del", "no"), ("blockquote", "quoted")):
        expect(text.locator(tag)).to_have_text(content)
    expect(text.locator("code")).to_have_text(["co<b>de", "fenced  **not**"])
    expect(text.locator("li")).to_have_text(["one", "two"])
    expect(text.get_by_role("link")).to_have_attribute("href", "https://www.example.org/")
    text.get_by_role("button", name="Copy").click()
    assert ada.page.evaluate("() => navigator.clipboard.readText()") == "fenced  **not**"


def test_47_long_texts_fold_and_emoji_stand_large(person: People, bob: Caller) -> None:
    ada = person("Ada")
    long = row_of(ada, bob.send("general", "\n".join(f"line {number}" for number in range(60))))
    small = row_of(ada, bob.send("general", "plain"))
    large = row_of(ada, bob.send("general", "🎉👍"))
    size = "row => parseFloat(getComputedStyle(row.querySelector('.message__body')).fontSize)"
    assert large.evaluate(size) > 1.8 * small.evaluate(size)
    height = "row => row.querySelector('.message__text').offsetHeight"
    folded = long.evaluate(height)
    assert folded < 31 * 22
    long.get_by_role("button", name="Show all").click()
    assert long.evaluate(height) > 1.8 * folded
    long.get_by_role("button", name="Show less").click()
    assert long.evaluate(height) == folded


def test_48_what_can_be_done_is_reached_by_hover_keys_and_the_menu_key(person: People, bob: Caller) -> None:
    ada = person("Ada", permissions=["clipboard-read", "clipboard-write"])
    message = bob.send("general", f"act on me {uuid.uuid4().hex[:6]}")
    row = row_of(ada, message)
    row.locator(".message").hover()
    expect(row.get_by_role("button", name="Reply")).to_be_visible()
    menu = ada.page.get_by_role("menu")
    row.get_by_role("button", name="More").click()
    expect(menu.get_by_role("menuitem")).to_have_text(["Reply", "Copy text", "Copy link"])
    ada.page.keyboard.press("Escape")
    for key in ("Enter", "Shift+F10"):
        row.focus()
        ada.page.keyboard.press(key)
        expect(menu.get_by_role("menuitem").first).to_be_focused()
        ada.page.keyboard.press("ArrowDown")
        expect(menu.get_by_role("menuitem").nth(1)).to_be_focused()
        ada.page.keyboard.press("Escape")
        expect(menu).to_be_hidden()
        expect(row).to_be_focused()
    ada.act(message["body"], "Copy link")
    expect(ada.page.locator("#toast")).to_have_text("Link copied")
    link = ada.page.evaluate("() => navigator.clipboard.readText()")
    assert link == f"{ada.url}/rooms/general#{message['id']}"
    ada.act(message["body"], "Copy text")
    expect(ada.page.locator("#toast")).to_have_text("Copied")
    assert ada.page.evaluate("() => navigator.clipboard.readText()") == message["body"]


def test_48_a_long_press_opens_it_where_there_is_no_mouse(person: People, bob: Caller) -> None:
    ada = person("Ada", has_touch=True, is_mobile=True, viewport={"width": 360, "height": 640})
    row = row_of(ada, bob.send("general", "pressed for long"))
    box = row.locator(".message__body").bounding_box()
    assert box
    touch = {"x": box["x"] + 20, "y": box["y"] + 8}
    session = ada.page.context.new_cdp_session(ada.page)
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [touch]})
    menu = ada.page.get_by_role("menu")
    expect(menu).to_be_visible()
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(menu.locator(".menu__note")).to_have_text(re.compile(r"\d"))  # when it was said
    expect(menu.get_by_role("menuitem")).to_have_text(["Reply", "Copy text", "Copy link"])
    for item in menu.get_by_role("menuitem").all():
        assert item.bounding_box()["height"] >= 44  # type: ignore[index]


def test_48_deleting_asks_and_quotes(person: People) -> None:
    ada = person("Ada")
    ada.say("gone for everyone")
    ada.shows("gone for everyone", "Sent")
    ada.act("gone for everyone", "Delete")
    dialog = ada.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Delete for everyone?")
    expect(dialog.locator("blockquote")).to_have_text("gone for everyone")
    dialog.get_by_role("button", name="Cancel").click()
    ada.shows("gone for everyone")
    ada.act("gone for everyone", "Delete")
    dialog.get_by_role("button", name="Delete").click()
    ada.shows("gone for everyone", count=0)
    expect(ada.box).to_be_focused()


def test_50_a_reply_that_grows_keeps_only_those_at_the_bottom_there(person: People, bob: Caller) -> None:
    ada = person("Ada")
    room = bob.create_room()
    ada.page.goto(f"{ada.url}/rooms/{room}")
    ada.page.get_by_role("button", name="Join", exact=True).click()
    expect(ada.box).to_be_visible()
    answer = bob.http.post(
        f"/rooms/{room}/messages", json={"localId": uuid.uuid4().hex, "body": "It begins", "growing": True}
    ).json()
    row = row_of(ada, answer)
    expect(row.locator(".message--growing")).to_be_visible()
    grow(bob, answer, len("It begins"), "\nmore" * 80)
    expect(row).to_contain_text("more")
    bottom = (
        "() => { const s = document.getElementById('scroller'); return s.scrollHeight - s.scrollTop - s.clientHeight; }"
    )
    assert ada.page.evaluate(bottom) < 2
    ada.page.locator("#scroller").evaluate("scroller => { scroller.scrollTop -= 600 }")
    top = ada.page.locator("#scroller").evaluate("scroller => scroller.scrollTop")
    grow(bob, answer, len("It begins") + 5 * 80, "\nthe end")
    expect(row).to_contain_text("the end")
    assert ada.page.locator("#scroller").evaluate("scroller => scroller.scrollTop") == top
    assert bob.http.post(f"/messages/{answer['id']}/finish", json={}).status_code == 200
    expect(row.locator(".message--growing")).to_have_count(0)


def grow(bob: Caller, message: dict[str, str], at: int, text: str) -> None:
    answer = bob.http.post(f"/messages/{message['id']}/append", json={"at": at, "text": text})
    assert answer.status_code == 200, answer.text


def test_28_and_56_groups_and_the_state_mark_in_its_gutter(person: People, bob: Caller) -> None:
    ada = person("Ada")
    bob.send("general", "between")
    for number in range(3):
        ada.say(f"group {number} {bob.id}")
        ada.shows(f"group {number} {bob.id}", "Sent")
    bob.send("general", f"breaks it {bob.id}")
    ada.shows(f"breaks it {bob.id}")
    rows = [ada.rows(f"group {number} {bob.id}") for number in range(3)]
    assert [row.locator(".message__name").count() for row in rows] == [1, 0, 0]
    ada.page.mouse.move(0, 0)
    shown = "row => getComputedStyle(row.querySelector('.message__status')).opacity"
    assert [row.evaluate(shown) for row in rows] == ["0", "0", "1"]
    left = {row.locator(".message__status").bounding_box()["x"] for row in rows}  # type: ignore[index]
    assert len(left) == 1
    rows[0].locator(".message").hover()
    assert rows[0].evaluate(shown) == "1"
