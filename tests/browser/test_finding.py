"""Finding rooms and people, and what can be done with them. The numbers are those of docs/ux.md."""

import re
import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.support.person import Person as Caller

from .conftest import Person

People = Callable[..., Person]


@pytest.fixture
def bob(service_url: str):  # type: ignore[no-untyped-def]
    with Caller(service_url, "José Núñez") as bob:
        yield bob


def named(bob: Caller, title: str, visibility: str = "public") -> str:
    name = f"room-{uuid.uuid4().hex[:10]}"
    answer = bob.http.post("/rooms", json={"name": name, "title": title, "visibility": visibility})
    assert answer.status_code == 201, answer.text
    return name


def test_51_rooms_and_people_are_found_by_keyboard_whatever_the_accents(person: People, bob: Caller) -> None:
    title = f"Café {uuid.uuid4().hex[:8]}"
    named(bob, title)
    ada = person("Ada")
    ada.page.keyboard.press("Control+k")
    field = ada.page.get_by_role("combobox", name="Find a room or a person")
    expect(field).to_be_focused()
    field.fill(title.upper().replace("É", "E"))
    option = ada.page.get_by_role("option", name=title)
    expect(option).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", str(option.get_attribute("id")))
    field.press("Enter")
    expect(ada.page.get_by_role("heading", level=1)).to_have_text(title)
    ada.page.keyboard.press("Control+k")
    field.fill("jose nu")
    people = ada.page.get_by_role("group", name="People").get_by_role("option")
    expect(people.filter(has_text=bob.id[-4:])).to_have_count(1)
    for _ in range(people.count() + 1):
        if people.filter(has_text=bob.id[-4:]).get_attribute("aria-selected") == "true":
            break
        field.press("ArrowDown")
    field.press("Enter")
    expect(ada.page.get_by_role("heading", level=1)).to_have_text("José Núñez")
    ada.page.get_by_role("button", name="Find a room or a person").click()
    field.fill(uuid.uuid4().hex)
    expect(ada.page.locator("#find-note")).to_have_text("Nothing by this name.")
    ada.page.keyboard.press("Escape")
    expect(field).to_be_hidden()


def test_51_public_rooms_are_browsed_with_their_members_and_joined(person: People, bob: Caller) -> None:
    title = f"Open house {uuid.uuid4().hex[:8]}"
    name = named(bob, title)
    ada = person("Ada")
    expect(ada.page.locator(f"a[data-room={name}]")).to_have_count(0)
    ada.page.get_by_role("button", name="Browse rooms").click()
    ada.page.get_by_label("Find a public room").fill(title)
    item = ada.page.locator("#browse-list li")
    expect(item).to_have_count(1)
    expect(item).to_contain_text("1 member")
    item.get_by_role("button", name=f"Join {title}").click()
    expect(ada.page.get_by_role("heading", level=1)).to_have_text(title)
    expect(ada.box).to_be_focused()
    expect(ada.page.locator(f"a[data-room={name}][aria-current=page]")).to_be_visible()


def test_51_the_current_room_is_in_view_and_direct_ones_stand_apart(person: People, bob: Caller) -> None:
    ada = person("Ada", viewport={"width": 1280, "height": 420})
    me = ada.page.evaluate("async () => (await (await fetch('/api/v1/session')).json()).user.id")
    rooms = [named(bob, f"Room {number:02}", "private") for number in range(12)]
    for room in rooms:
        assert bob.http.put(f"/rooms/{room}/members/{me}").status_code == 200
    direct = bob.http.put(f"/direct/{me}").json()["name"]
    ada.page.goto(f"{ada.url}/rooms/{rooms[-1]}")
    expect(ada.page.locator(f"a[data-room={rooms[-1]}]")).to_be_in_viewport()
    sections = ada.page.locator("#rooms h2")
    expect(sections).to_have_text(["Direct messages", "Rooms"])
    link = ada.page.locator(f"a[data-room={direct}]")
    expect(link.locator(".avatar")).to_have_text("JN")
    expect(link.get_by_label("Online")).to_have_count(0)
    with bob.stream():
        expect(link.get_by_label("Online")).to_have_count(1)


def test_52_a_person_has_a_card(person: People, bob: Caller) -> None:
    ada = person("Ada")
    bob.send("general", f"look at me {bob.id}")
    ada.rows(f"look at me {bob.id}").locator(".message__name").click()
    card = ada.page.locator("#person-dialog")
    expect(card.get_by_role("heading")).to_have_text("José Núñez")
    expect(card).to_contain_text(f"Guest · {bob.id[-4:]}")
    expect(card.locator(".presence")).to_have_text(re.compile("Offline|Last seen"))
    card.get_by_role("button", name="Message").click()
    expect(ada.page.get_by_role("heading", level=1)).to_have_text("José Núñez")
    expect(ada.page.locator("#room-start")).to_contain_text("Just the two of you.")


def test_53_a_title_without_latin_letters_gives_an_address(person: People) -> None:
    ada = person("Ada")
    ada.page.get_by_role("button", name="New room").click()
    dialog = ada.page.get_by_role("dialog")
    dialog.get_by_label("Title").fill("会議室")
    expect(dialog.get_by_label("Address")).to_have_value(re.compile("^room-[a-z0-9]{1,6}$"))
    dialog.get_by_role("button", name="Create room").click()
    expect(ada.page.get_by_role("heading", level=1)).to_have_text("会議室")
    expect(ada.box).to_be_focused()
    expect(ada.page.locator("#room-start").get_by_role("button")).to_have_text(["See who is here", "Copy invite link"])


def test_53_an_owner_removes_and_hands_over(person: People, bob: Caller) -> None:
    ada = person("Ada", permissions=["clipboard-read", "clipboard-write"])
    ada.page.get_by_role("button", name="New room").click()
    dialog = ada.page.get_by_role("dialog")
    dialog.get_by_label("Title").fill(f"Handed {uuid.uuid4().hex[:6]}")
    dialog.get_by_role("button", name="Create room").click()
    expect(dialog).to_be_hidden()
    room = ada.page.url.split("/")[-1]
    ada.choose("Room menu", "Copy invite link")
    expect(ada.page.locator("#toast")).to_have_text("Invite link copied")
    assert ada.page.evaluate("() => navigator.clipboard.readText()") == f"{ada.url}/rooms/{room}"
    with Caller(bob.url, "Cyd") as cyd:
        bob.join(room)
        cyd.join(room)
        ada.page.get_by_role("button", name="People in this room").click()
        people = ada.page.locator("#people-dialog")
        people.get_by_role("button", name="Remove Cyd").click()
        ada.page.locator("#confirm-dialog").get_by_role("button", name="Remove").click()
        expect(people.get_by_role("status")).to_contain_text("Cyd is not in")
        people.get_by_role("button", name="Make owner José Núñez").click()
        ada.page.locator("#confirm-dialog").get_by_role("button", name="Hand over").click()
        expect(people.get_by_role("status")).to_have_text("José Núñez is the owner now.")
        expect(people.get_by_role("button", name="Remove José Núñez")).to_have_count(0)
        found = bob.http.get(f"/rooms/{room}").json()
        assert (found["owner"], found["memberCount"]) == (bob.id, 2)
