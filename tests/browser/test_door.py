"""At the door: names, a session that ends, and what an earlier guest left. The numbers are those of docs/ux.md."""

import re
from collections.abc import Callable

from playwright.sync_api import Page
from playwright.sync_api import expect

from .conftest import Person
from .conftest import sign_out

People = Callable[..., Person]

END_SESSION = """() => fetch('/api/v1/session',
  {method: 'DELETE', headers: {'Content-Type': 'application/json'}, body: '{}'})"""


def left_unsent(ada: Person, *bodies: str) -> None:
    """Ada writes what never leaves the browser, then her session ends, and somebody else comes in."""
    ada.page.route("**/messages", lambda route: route.abort())
    for body in bodies:
        ada.say(body)
        ada.shows(body, "Sending")
    sign_out(ada.page)
    ada.page.unroute("**/messages")
    ada.page.get_by_label("Name").fill("Bea")
    ada.page.get_by_role("button", name="Join chat").click()
    expect(ada.page.get_by_role("dialog")).to_contain_text(f"{len(bodies)} unsent")


def kept(page: Page) -> int:
    count: int = page.evaluate(
        """() => new Promise(resolve => {
          const request = indexedDB.open('chat-outbox ');
          request.onsuccess = () => {
            const count = request.result.transaction('messages').objectStore('messages').count();
            count.onsuccess = () => { request.result.close(); resolve(count.result); };
          };
        })"""
    )
    return count


def test_42_unsent_texts_of_the_guest_before_are_offered_and_sent_when_asked(person: People) -> None:
    ada, bob = person("Ada"), person("Bob")
    left_unsent(ada, "mine, of before 1", "mine, of before 2")
    dialog = ada.page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_have_text("2 unsent messages of the guest before")
    expect(dialog.locator("li")).to_have_text([re.compile("mine, of before 1"), re.compile("mine, of before 2")])
    bob.shows("mine, of before 1", count=0)
    dialog.get_by_role("button", name="Send as the new guest").click()
    expect(dialog).to_be_hidden()
    ada.shows("mine, of before 2", "Delivered")
    bob.shows("mine, of before 1")
    expect(bob.rows("mine, of before 1").locator(".message__name")).to_have_text("Bea")
    assert kept(ada.page) == 0
    ada.page.reload()
    ada.is_live()
    expect(dialog).to_be_hidden()


def test_42_or_copied_and_discarded(person: People) -> None:
    ada = person("Ada", permissions=["clipboard-read", "clipboard-write"])
    left_unsent(ada, "not for Bea")
    dialog = ada.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Copy").click()
    expect(ada.page.locator("#toast")).to_have_text("Copied")
    assert ada.page.evaluate("() => navigator.clipboard.readText()") == "not for Bea"
    dialog.get_by_role("button", name="Discard").click()
    expect(dialog).to_be_hidden()
    assert kept(ada.page) == 0


def test_20_a_session_that_ended_says_what_waits(person: People) -> None:
    ada = person("Ada")
    ada.page.route("**/messages", lambda route: route.abort())
    ada.say("waits at the door")
    ada.shows("waits at the door", "Sending")
    ada.page.evaluate(END_SESSION)
    expect(ada.page.locator("#sign-in-note")).to_have_text("Signed out – sign in to send 1 pending message.")
    assert kept(ada.page) == 1


def test_59_a_name_is_suggested_and_another_at_each_try(person: People) -> None:
    ada = person()
    ada.page.goto(ada.url)
    field = ada.page.get_by_label("Name")
    expect(field).to_have_value(re.compile(r"^[A-Z]\w+ [A-Z]\w+$"))
    seen = {field.input_value()}
    for _ in range(5):
        ada.page.get_by_role("button", name="Another suggestion").click()
        seen.add(field.input_value())
    assert len(seen) > 3
    ada.page.get_by_role("button", name="Join chat").click()
    expect(ada.page.locator("#user-name")).to_have_text(re.compile(r"^[A-Z]\w+ [A-Z]\w+$"))
    expect(ada.box).to_be_focused()


def test_59_the_name_field_counts_like_the_server_and_errors_say_what_to_do(person: People) -> None:
    ada = person()
    ada.page.goto(ada.url)
    field, count = ada.page.get_by_label("Name"), ada.page.locator("#sign-in-count")
    field.fill("👩‍🚀" * 13)  # 39 code points
    expect(count).to_have_text("1 letter left")
    field.fill("ﬃ" * 14)  # 14 signs, 42 letters for the server
    expect(count).to_have_text("2 letters too many")
    ada.page.get_by_role("button", name="Join chat").click()
    expect(field).to_be_focused()
    field.fill("a\u2800b")
    ada.page.get_by_role("button", name="Join chat").click()
    error = ada.page.locator("#sign-in-error")
    expect(error).to_contain_text("Use letters, digits and ordinary punctuation.")
    field.fill("ab")
    expect(error).to_have_text("")
