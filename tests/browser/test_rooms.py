"""Making, joining, leaving and switching rooms."""

import uuid
from collections.abc import Callable

from playwright.sync_api import expect

from .conftest import Person
from .conftest import sign_out

People = Callable[..., Person]


def make_room(someone: Person, title: str, choice: str = "Everyone who is signed in") -> None:
    someone.page.get_by_role("button", name="New room").click()
    dialog = someone.page.get_by_role("dialog")
    dialog.get_by_label("Title").fill(title)
    dialog.get_by_label(choice).check()
    dialog.get_by_role("button", name="Create room").click()
    expect(dialog).to_be_hidden()
    expect(someone.page.get_by_role("heading", level=1)).to_have_text(title)


def new_title() -> str:
    return f"Room {uuid.uuid4().hex[:8]}"


def test_made_joined_and_talked_in(person: People) -> None:
    ada = person("Ada")
    title = new_title()
    make_room(ada, title)
    ada.say("first words")
    ada.shows("first words", "Sent")
    bob = person("Bob")
    bob.page.get_by_role("button", name="Browse rooms").click()
    bob.page.get_by_label("Find a public room").fill(title)
    bob.page.get_by_role("button", name=title, exact=True).click()
    bob.shows("first words")
    expect(bob.box).to_be_hidden()
    bob.page.get_by_role("button", name="Join").click()
    expect(bob.box).to_be_visible()
    ada.say("for members")
    bob.shows("for members")
    ada.shows("for members", "Delivered")


def test_21_unread_count_and_line(person: People) -> None:
    ada, bob = person("Ada"), person("Bob")
    title = new_title()
    make_room(ada, title)
    bob.say("look at general")
    link = ada.page.get_by_role("link", name="General")
    expect(link.get_by_label("1 unread")).to_be_visible()
    link.click()
    expect(ada.page.get_by_text("New messages", exact=True)).to_be_visible()
    ada.shows("look at general")
    expect(link.get_by_label("1 unread")).to_be_hidden()
    assert ada.page.evaluate("document.scrollingElement.scrollTop") == 0


def test_private_room_is_not_shown_to_others(person: People) -> None:
    ada = person("Ada")
    title = new_title()
    make_room(ada, title, "Only people who are invited")
    path = ada.page.url.removeprefix(ada.url)
    bob = person("Bob")
    expect(bob.page.get_by_role("link", name=title)).to_have_count(0)
    bob.page.goto(bob.url + path)
    expect(bob.page.get_by_role("heading", level=1)).to_have_text("No such room")


def test_name_that_is_taken(person: People) -> None:
    ada = person("Ada")
    title = new_title()
    make_room(ada, title)
    ada.page.get_by_role("button", name="New room").click()
    dialog = ada.page.get_by_role("dialog")
    dialog.get_by_label("Title").fill(title)
    dialog.get_by_role("button", name="Create room").click()
    expect(dialog.get_by_role("alert")).to_have_text("A room with this name exists already.")


def test_left_room_takes_no_messages(person: People) -> None:
    ada = person("Ada")
    title = new_title()
    make_room(ada, title)
    ada.choose("Room menu", "Leave")
    ada.page.get_by_role("dialog").get_by_role("button", name="Leave").click()
    expect(ada.page.get_by_role("button", name="Join")).to_be_visible()
    expect(ada.box).to_be_hidden()


def test_33_back_and_draft(person: People) -> None:
    ada = person("Ada")
    ada.box.fill("half a thought")
    title = new_title()
    make_room(ada, title)
    expect(ada.box).to_have_value("")
    ada.page.go_back()
    expect(ada.page.get_by_role("heading", level=1)).to_have_text("General")
    expect(ada.box).to_have_value("half a thought")


def test_sign_out(person: People) -> None:
    ada = person("Ada")
    sign_out(ada.page)
    expect(ada.page.get_by_label("Name")).to_be_visible()
    ada.page.reload()
    expect(ada.page.get_by_label("Name")).to_be_visible()


def test_53_invited_into_a_private_room(person: People) -> None:
    ada = person("Ada")
    name = f"Bob {uuid.uuid4().hex[:8]}"
    bob = person(name)
    title = new_title()
    make_room(ada, title, "Only people who are invited")
    ada.say("between us")
    ada.page.get_by_role("button", name="People in this room").click()
    dialog = ada.page.get_by_role("dialog")
    dialog.get_by_label("Find a person").fill(name)
    dialog.get_by_role("button", name=f"Invite {name}").click()
    expect(dialog.get_by_role("status")).to_have_text(f"{name} is in {title} now.")
    dialog.get_by_role("button", name="Close").click()
    bob.page.get_by_role("link", name=title).click()
    bob.shows("between us")
    bob.say("thanks")
    ada.shows("thanks")


def test_direct_conversation(person: People) -> None:
    ada = person("Ada")
    name = f"Bob {uuid.uuid4().hex[:8]}"
    bob = person(name)
    ada.page.get_by_role("button", name="People in this room").click()
    ada.page.get_by_label("Find a person").fill(name)
    ada.page.get_by_role("button", name=f"Message {name}").click()
    expect(ada.page.get_by_role("heading", level=1)).to_have_text(name)
    ada.say("just to you")
    link = bob.page.get_by_role("link", name="Ada")
    expect(link.get_by_label("1 unread")).to_be_visible()
    link.click()
    bob.shows("just to you")
    ada.shows("just to you", "Delivered")


def test_signed_out_elsewhere(person: People) -> None:
    ada = person("Ada")
    second = ada.new_page()
    second.goto(ada.url)
    sign_out(second)
    expect(ada.page.get_by_text("Your session has ended. Sign in again.")).to_be_visible()


def test_40_two_tabs_are_one_person(person: People) -> None:
    xavier = person("Xavier")
    other = xavier.page.context.new_page()
    other.goto(xavier.page.url)
    expect(other.get_by_text("Xavier").first).to_be_visible()
    sign_out(xavier.page)
    expect(other.get_by_label("Name")).to_be_visible()
    other.get_by_label("Name").fill("Yvonne")
    other.get_by_label("Name").press("Enter")
    # The tab that waits at the form becomes the same person, and none can sign in as a second one.
    expect(xavier.page.get_by_text("Yvonne").first).to_be_visible()
    expect(xavier.box).to_be_visible()
    xavier.say("one browser, one person")
    xavier.shows("one browser, one person", "Sent")
    expect(other.get_by_text("one browser, one person")).to_have_count(1)
    other.close()


def test_invited_while_looking(person: People) -> None:
    name = f"Bob {uuid.uuid4().hex[:8]}"
    ada, bob = person("Ada"), person(name)
    title = new_title()
    make_room(ada, title, "Only people who are invited")
    bob.page.goto(ada.page.url)
    expect(bob.page.get_by_text("It does not exist, or you may not read it.")).to_be_visible()
    ada.page.evaluate(
        """async (name) => {
            const { members } = await (await fetch('/api/v1/rooms/general/members?limit=1000')).json();
            const room = location.pathname.split('/').pop();
            const bob = members.filter((one) => one.name === name).pop();
            await fetch(`/api/v1/rooms/${room}/members/${bob.id}`,
                {method: 'PUT', headers: {'Content-Type': 'application/json'}, body: '{}'});
        }""",
        name,
    )
    expect(bob.box).to_be_visible()
