"""Rooms that are alive: who is writing, and what is unread after a reload."""

import os
import uuid
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.support.processes import wait_until

from .conftest import Person

People = Callable[..., Person]


def test_who_is_writing_is_shown_until_their_message_comes(person: People) -> None:
    ada, bob = person("Ada"), person("Bob")
    ada.box.press_sequentially("thinking alou")
    typing = bob.page.locator("#typing")
    expect(typing).to_have_text("Ada is writing…")
    expect(ada.page.locator("#typing")).to_have_text("")
    ada.box.press_sequentially("d")
    ada.box.press("Enter")
    bob.shows("thinking aloud")
    expect(typing).to_have_text("")
    # And by long poll.
    cyd = person("Cyd", "/?transport=poll", "Live (polling)")
    # Of what comes within three seconds of the last time, nothing is passed on.
    ada.box.press_sequentially("more of it", delay=400)
    expect(cyd.page.locator("#typing")).to_have_text("Ada is writing…")
    ada.box.fill("")
    expect(cyd.page.locator("#typing")).to_have_text("")


def test_what_is_unread_survives_a_reload(person: People) -> None:
    ada, bob = person("Ada"), person("Bob")
    title = f"Team {uuid.uuid4().hex[:8]}"
    for someone in (ada, bob):
        # Whoever comes second joins.
        someone.page.evaluate(
            """async (title) => {
              const headers = {'Content-Type': 'application/json'};
              const name = title.toLowerCase().replace(' ', '-');
              await fetch('/api/v1/rooms', {method: 'POST', headers, body: JSON.stringify({name, title})});
              await fetch(`/api/v1/rooms/${name}/members/me`, {method: 'PUT', headers, body: '{}'});
            }""",
            title,
        )
    room = title.lower().replace(" ", "-")
    ada.page.goto(f"{ada.url}/rooms/{room}")
    for number in range(3):
        ada.say(f"number {number}")
        expect(ada.rows(f"number {number}").locator(".message__status[data-status=sending]")).to_have_count(0)
    bob.page.reload()
    bob.is_live()
    link = bob.page.get_by_role("link", name=title)
    expect(link.get_by_label("3 unread")).to_be_visible()
    bob.page.reload()
    bob.is_live()
    expect(link.get_by_label("3 unread")).to_be_visible()
    link.click()
    bob.shows("number 2")
    expect(bob.page.locator(".divider--unread")).to_have_text("New messages")
    expect(bob.page.locator(".row", has=bob.page.locator(".divider--unread"))).to_contain_text("number 0")
    if folder := os.environ.get("SCREENSHOTS"):
        ada.box.press_sequentially("and so on", delay=400)
        expect(bob.page.locator("#typing")).to_have_text("Ada is writing…")
        bob.page.screenshot(path=Path(folder) / "alive.png")
    # Read, and told so.
    expect(link.get_by_label("3 unread")).to_have_count(0)
    unread = "async (room) => (await (await fetch(`/api/v1/rooms/${room}`)).json()).unread"
    wait_until(lambda: bob.page.evaluate(unread, room) == 0, 15, "what was read to be told")
    bob.page.reload()
    bob.is_live()
    bob.shows("number 2")
    expect(bob.page.locator(".divider--unread")).to_have_count(0)
