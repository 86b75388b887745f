"""Notifications and muting. The numbers are those of docs/ux.md."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.support.person import Person as Caller
from tests.support.processes import wait_until

from .conftest import Person
from .test_tabs import HIDE
from .test_tabs import SHOW

People = Callable[..., Person]

# Chromium without a screen shows none: what the page asks for is written down instead.
WATCHED = """
window.told = []; window.asked = 0;
window.Notification = class {
  static permission = 'default';
  static async requestPermission() { window.asked += 1; return (window.Notification.permission = 'granted'); }
  constructor(title, {body, tag}) { this.entry = {title, body, tag, open: true}; window.told.push(this.entry); }
  close() { this.entry.open = false; }
};
"""


def test_46_one_a_room_only_when_asked_for_and_only_while_nobody_looks(person: People, bob: Caller) -> None:
    ada = person()
    ada.page.add_init_script(WATCHED)
    ada.sign_in("Ada")
    assert ada.page.evaluate("() => window.asked") == 0
    me = ada.page.evaluate("async () => (await (await fetch('/api/v1/session')).json()).user.id")
    direct = bob.http.put(f"/direct/{me}").json()["name"]
    link = ada.page.locator(f"a[data-room={direct}]")
    expect(link).to_be_visible()
    told = "() => window.told"

    bob.send(direct, "before it was asked for")
    expect(link).to_contain_text("1")
    ada.choose("Your settings", "Notify me of direct messages")
    assert ada.page.evaluate("() => window.asked") == 1
    bob.send(direct, "while the page is seen")
    expect(link).to_contain_text("2")
    assert ada.page.evaluate(told) == []

    ada.page.evaluate(HIDE)
    bob.send(direct, "while nobody looks")
    wait_until(lambda: len(ada.page.evaluate(told)) == 1, what="a notification")
    bob.send("general", "of a room that nobody chose")
    bob.send(direct, "another one")
    wait_until(lambda: len(ada.page.evaluate(told)) == 2, what="a second one in its place")
    first, second = ada.page.evaluate(told)
    assert (first["title"], first["body"]) == ("Bob", "while nobody looks")
    assert first["tag"] == second["tag"]
    ada.page.evaluate(SHOW)
    link.click()
    wait_until(lambda: not ada.page.evaluate(told)[1]["open"], what="it to go when it was read")


def test_46_another_tab_that_is_seen_is_enough(person: People, bob: Caller) -> None:
    ada = person()
    ada.page.add_init_script(WATCHED)
    ada.sign_in("Ada")
    ada.choose("Room menu", "Notify me of messages")
    other = ada.new_page()
    other.goto(ada.url)
    expect(other.locator("#status-text")).to_have_text("Live")
    ada.page.evaluate(HIDE)
    bob.send("general", "seen in the other tab")
    ada.shows("seen in the other tab")
    other.close()
    bob.send("general", "seen in none")
    wait_until(lambda: ada.page.evaluate("() => window.told.length") == 1, what="a notification")
    assert ada.page.evaluate("() => window.told[0].title") == "Bob in General"


def test_45_a_muted_room_is_quiet(person: People, bob: Caller) -> None:
    ada = person("Ada")
    ada.choose("Room menu", "Mute")
    link = ada.page.locator("a[data-room=general]")
    expect(link.get_by_label("Muted")).to_be_visible()
    ada.page.evaluate(HIDE)
    bob.send("general", "not heard")
    expect(link).to_contain_text("1")
    assert "(" not in ada.page.title()
    ada.page.reload()
    expect(link.get_by_label("Muted")).to_be_visible()
    expect(link).not_to_have_class(re.compile("rooms__item--unread"))
