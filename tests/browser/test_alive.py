"""Rooms that are alive: who is there and who is writing, what is unread and what was seen, what grows and what ends."""

import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.support.processes import wait_until

from .conftest import Person
from .conftest import sign_out

People = Callable[..., Person]


def test_30_who_is_writing_is_shown_until_their_message_comes(person: People) -> None:
    ada, bob = person("Ada"), person("Bob")
    ada.box.press_sequentially("thinking alou")
    typing = bob.page.locator("#typing")
    expect(typing).to_have_text("Ada is typing…")
    expect(ada.page.locator("#typing")).to_have_text("")
    ada.box.press_sequentially("d")
    ada.box.press("Enter")
    bob.shows("thinking aloud")
    expect(typing).to_have_text("")
    # And by long poll.
    cyd = person("Cyd", "/?transport=poll", "Live (polling)")
    # Of what comes within three seconds of the last time, nothing is passed on.
    ada.box.press_sequentially("more of it", delay=400)
    expect(cyd.page.locator("#typing")).to_have_text("Ada is typing…")
    ada.box.fill("")
    expect(cyd.page.locator("#typing")).to_have_text("")


def test_45_what_is_unread_survives_a_reload(person: People) -> None:
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
        expect(bob.page.locator("#typing")).to_have_text("Ada is typing…")
        bob.page.screenshot(path=Path(folder) / "alive.png")
    # Read, and told so.
    expect(link.get_by_label("3 unread")).to_have_count(0)
    unread = "async (room) => (await (await fetch(`/api/v1/rooms/${room}`)).json()).unread"
    wait_until(lambda: bob.page.evaluate(unread, room) == 0, 15, "what was read to be told")
    bob.page.reload()
    bob.is_live()
    bob.shows("number 2")
    expect(bob.page.locator(".divider--unread")).to_have_count(0)


FETCH = """async ([method, path, body]) => {
  const headers = {'Content-Type': 'application/json'};
  const answer = await fetch(`/api/v1${path}`, {method, headers, body: body && JSON.stringify(body)});
  return answer.status === 204 ? null : answer.json();
}"""


def ask(who: Person, method: str, path: str, body: object = None) -> Any:
    return who.page.evaluate(FETCH, [method, path, body])


@pytest.fixture
def team(person: People) -> tuple[Person, Person, str]:
    """Ada's room, in which Bob is too, open on both screens."""
    ada, bob = person("Ada"), person("Bob")
    title = f"Team {uuid.uuid4().hex[:8]}"
    room = title.lower().replace(" ", "-")
    ask(ada, "POST", "/rooms", {"name": room, "title": title})
    ask(bob, "PUT", f"/rooms/{room}/members/me", {})
    for someone in (ada, bob):
        someone.page.goto(f"{someone.url}/rooms/{room}")
        someone.is_live()
    return ada, bob, room


def test_31_who_is_there_is_counted_and_has_a_dot(team: tuple[Person, Person, str]) -> None:
    ada, bob, _ = team
    expect(ada.page.locator("#room-about")).to_have_text("2 members · 2 online")
    ada.page.get_by_role("button", name="People in this room").click()
    people = ada.page.locator("#people-list li")
    expect(people).to_contain_text(["Ada", "Bob"])
    expect(people.nth(1).locator(".presence--online")).to_have_text("Online")
    shot(ada, "people")
    sign_out(bob.page)
    expect(ada.page.locator("#room-about")).to_have_text("1 member · 1 online")


def test_a_reply_grows_before_ones_eyes(team: tuple[Person, Person, str]) -> None:
    ada, bob, room = team
    reply = ask(ada, "POST", f"/rooms/{room}/messages", {"localId": uuid.uuid4().hex, "body": "", "growing": True})
    text = ""
    for piece in ("Well, ", "let me ", "think 🤔 ", "about it."):
        ask(ada, "POST", f"/messages/{reply['id']}/append", {"at": len(text), "text": piece})
        text += piece
        expect(bob.page.locator(".message--growing .message__body")).to_have_text(text.strip())
    shot(bob, "growing")
    bob.page.reload()
    expect(bob.page.locator(".message--growing .message__body")).to_have_text(text)
    ask(ada, "POST", f"/messages/{reply['id']}/finish", {})
    for someone in (ada, bob):
        expect(someone.page.locator(".message--growing")).to_have_count(0)
        someone.shows(text)


def test_who_has_seen_it_is_said_under_the_last_message(team: tuple[Person, Person, str]) -> None:
    ada, bob, _ = team
    ada.say("have you seen this?")
    bob.shows("have you seen this?")
    expect(ada.page.locator(".message__seen")).to_have_text("Seen by Bob", timeout=20_000)
    shot(ada, "seen")
    ada.page.reload()
    expect(ada.page.locator(".message__seen")).to_have_text("Seen by Bob")


def test_53_its_owner_renames_a_room_and_deletes_it(team: tuple[Person, Person, str]) -> None:
    ada, bob, room = team
    bob.page.get_by_role("button", name="Room menu").click()
    expect(bob.page.get_by_role("menu").get_by_text("Rename or delete")).to_have_count(0)
    bob.page.keyboard.press("Escape")
    ada.choose("Room menu", "Rename or delete")
    ada.page.locator("#room-new-title").fill("A better name")
    ada.page.get_by_role("button", name="Rename", exact=True).click()
    for someone in (ada, bob):
        expect(someone.page.locator("#room-title")).to_have_text("A better name")
        expect(someone.box).to_have_attribute("placeholder", "Message #A better name")
    ada.choose("Room menu", "Rename or delete")
    delete = ada.page.get_by_role("button", name="Delete room")
    expect(delete).to_be_disabled()
    ada.page.locator("#room-typed-name").fill(room)
    shot(ada, "settings")
    delete.click()
    for someone in (ada, bob):
        expect(someone.page.locator("#room-title")).to_have_text("General")
        expect(someone.page.locator("#toast")).to_have_text("A better name was deleted.")
        expect(someone.page.get_by_role("link", name="A better name")).to_have_count(0)


def shot(who: Person, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        who.page.screenshot(path=Path(folder) / f"{name}.png")
