"""Where a reader stands, and what counts as read. The numbers are those of docs/ux.md."""

import re
import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.support.person import Person as Caller
from tests.support.person import new_local_id
from tests.support.processes import wait_until

from .conftest import Person

People = Callable[..., Person]


@pytest.fixture
def talk(person: People, service_url: str):  # type: ignore[no-untyped-def]
    """Ada with a room of her own, and Bob, who calls the API and says in it what a test asks for."""
    ada = person("Ada")
    with Caller(service_url, "Bob") as bob:
        room = bob.create_room()
        join(ada, room)
        yield ada, bob, room


def join(someone: Person, room: str) -> None:
    someone.page.evaluate(
        """room => fetch(`/api/v1/rooms/${room}/members/me`,
             {method: 'PUT', headers: {'Content-Type': 'application/json'}, body: '{}'})""",
        room,
    )
    expect(someone.page.locator(f"a[data-room={room}]")).to_be_visible()


def say_many(bob: Caller, room: str, count: int, start: int = 0) -> list[str]:
    ids = []
    for first in range(start, start + count, 100):
        items = [
            {"room": room, "localId": new_local_id(), "body": f"number {number}"}
            for number in range(first, min(first + 100, start + count))
        ]
        answer = bob.batch(*items)
        assert answer.status_code == 200, answer.text
        ids += [result["message"]["id"] for result in answer.json()["results"]]
    return ids


def open_room(someone: Person, room: str) -> None:
    someone.page.locator(f"a[data-room={room}]").click()


def test_21_and_45_the_line_and_the_count_survive_a_reload_until_the_end_was_seen(talk) -> None:  # type: ignore[no-untyped-def]
    ada, bob, room = talk
    say_many(bob, room, 1)
    open_room(ada, room)
    ada.shows("number 0")
    ada.page.locator("a[data-room=general]").click()
    say_many(bob, room, 130, start=1)
    link = ada.page.locator(f"a[data-room={room}]")
    expect(link).to_contain_text("99+")
    assert "(" in ada.page.title()
    ada.page.reload()
    expect(link).to_contain_text("99+")
    expect(ada.page.locator("#favicon")).to_have_attribute("href", re.compile("^data:"))
    link.click()
    # Further back than the first page of fifty.
    line = ada.page.get_by_text("New messages", exact=True)
    expect(line).to_be_in_viewport()
    expect(ada.rows("number 1")).to_be_in_viewport()
    expect(link).to_contain_text("99+")  # nobody has seen the end yet
    ada.page.get_by_role("button", name="↓").click()
    expect(ada.rows("number 130")).to_be_in_viewport()
    expect(link).not_to_contain_text("99+")
    wait_until(lambda: "(" not in ada.page.title(), what="a title without a count")
    unread = "async room => (await (await fetch(`/api/v1/rooms/${room}`)).json()).unread"
    wait_until(lambda: ada.page.evaluate(unread, room) == 0, what="the server to know")
    ada.page.reload()
    expect(ada.rows("number 130")).to_be_in_viewport()
    expect(line).to_have_count(0)


def test_22_and_23_whoever_reads_further_up_is_not_moved_and_is_told(talk) -> None:  # type: ignore[no-untyped-def]
    ada, bob, room = talk
    say_many(bob, room, 60)
    open_room(ada, room)
    expect(ada.rows("number 59")).to_be_in_viewport()
    bob.send(room, "follows")
    expect(ada.rows("follows")).to_be_in_viewport()
    ada.page.locator("#scroller").evaluate("scroller => { scroller.scrollTop -= 900 }")
    ada.shows("number 0")  # the older ones are there, too
    anchor = ada.rows("number 40")
    before = anchor.bounding_box()
    say_many(bob, room, 3, start=60)
    button = ada.page.locator("#to-latest")
    expect(button).to_have_text("↓ 3 new")
    assert anchor.bounding_box() == before
    for key in ("End", "Escape"):
        ada.page.locator("#scroller").focus()
        ada.page.keyboard.press(key)
        expect(button).to_be_hidden()
        expect(ada.rows("number 62")).to_be_in_viewport()
        ada.page.locator("#scroller").evaluate("scroller => { scroller.scrollTop -= 900 }")
        expect(button).to_be_visible()
    button.click()
    expect(ada.box).to_be_focused()


def test_24_older_messages_move_nothing_and_take_no_focus(talk) -> None:  # type: ignore[no-untyped-def]
    ada, bob, room = talk
    say_many(bob, room, 220)
    open_room(ada, room)
    expect(ada.rows("number 219")).to_be_in_viewport()
    for _ in range(2):
        ada.page.locator("#scroller").evaluate("scroller => { scroller.scrollTop = 500 }")
        row = ada.page.evaluate_handle(
            """() => { const {top} = document.getElementById('scroller').getBoundingClientRect();
                 const rows = [...document.querySelectorAll('#log .row')];
                 const row = rows.find(each => each.getBoundingClientRect().top > top);
                 row.focus({preventScroll: true}); return row; }"""
        )
        first = ada.page.locator("#log .row").first.get_attribute("data-id")
        ada.page.locator("#scroller").evaluate("scroller => { scroller.scrollTop = 399 }")
        moved = ada.page.evaluate("row => row.getBoundingClientRect().top", row)
        expect(ada.page.locator("#log .row").first).not_to_have_attribute("data-id", str(first))
        assert abs(ada.page.evaluate("row => row.getBoundingClientRect().top", row) - moved) <= 1
        assert ada.page.evaluate("row => row === document.activeElement", row)


def test_48_a_link_leads_to_a_message_far_back_and_down_again(talk) -> None:  # type: ignore[no-untyped-def]
    ada, bob, room = talk
    ids = say_many(bob, room, 400)
    ada.page.goto(f"{ada.url}/rooms/{room}#{ids[100]}")
    found = ada.page.locator(".row--found")
    expect(found).to_have_text(re.compile("number 100"))
    expect(found).to_be_in_viewport()
    expect(found).to_be_focused()
    bob.send(room, "meanwhile")
    ada.shows("meanwhile", count=0)
    # Down again, page by page, without a gap.
    seen: set[int] = set()
    for _ in range(40):
        rows = ada.page.locator("#log .message__body").all_text_contents()
        seen |= {int(text.removeprefix("number ")) for text in rows if text.startswith("number")}
        if "meanwhile" in rows:
            break
        last = ada.page.locator("#log .row").last.get_attribute("data-id")
        ada.page.locator("#scroller").evaluate("scroller => { scroller.scrollTop = scroller.scrollHeight }")
        expect(ada.page.locator("#log .row").last).not_to_have_attribute("data-id", str(last))
    assert seen >= set(range(100, 400))
    ada.page.goto(f"{ada.url}/rooms/{room}#{uuid.UUID(int=5)}")
    expect(ada.page.locator("#toast")).to_have_text("That message is not here any more.")


def test_49_a_reply_quotes_and_jumps(talk) -> None:  # type: ignore[no-untyped-def]
    ada, bob, room = talk
    say_many(bob, room, 1)
    open_room(ada, room)
    ada.act("number 0", "Reply")
    expect(ada.page.locator("#composing-text")).to_have_text("Reply to Bob: number 0")
    expect(ada.box).to_be_focused()
    ada.say("an answer")
    ada.shows("an answer", "Sent")
    assert bob.history(room)[-1]["data"] == {"replyTo": bob.history(room)[0]["id"]}
    quote = ada.rows("an answer").locator(".quote")
    expect(quote).to_have_text("In reply to Bobnumber 0")
    say_many(bob, room, 180, start=1)
    unread = "async room => (await (await fetch(`/api/v1/rooms/${room}`)).json()).unread"
    wait_until(lambda: ada.page.evaluate(unread, room) == 0, what="the server to know that it was read")
    ada.page.reload()  # the quoted one is not loaded now
    expect(ada.rows("number 180")).to_be_in_viewport()
    ada.shows("number 0", count=0)
    replied = bob.http.post(
        f"/rooms/{room}/messages",
        json={"localId": new_local_id(), "body": "late answer", "data": {"replyTo": bob.history(room)[0]["id"]}},
    )
    assert replied.status_code == 201
    late = ada.rows("late answer").locator(".quote")
    expect(late).to_have_text("In reply to Bobnumber 0")
    late.click()
    expect(ada.page.locator(".row--found")).to_have_text(re.compile("number 0"))


def test_55_short_rooms_sit_next_to_the_box_and_say_what_they_are(talk) -> None:  # type: ignore[no-untyped-def]
    ada, bob, room = talk
    open_room(ada, room)
    start = ada.page.locator("#room-start")
    expect(start).to_contain_text("This is the beginning of")
    expect(start).to_contain_text("Nothing has been said yet")
    bob.send(room, "alone")
    row = ada.rows("alone")
    expect(row).to_be_visible()
    box = row.bounding_box()
    frame = ada.page.locator("#scroller").bounding_box()
    assert box
    assert frame
    assert frame["y"] + frame["height"] - (box["y"] + box["height"]) < 40


def test_26_heights_that_change_late_keep_the_place(talk) -> None:  # type: ignore[no-untyped-def]
    ada, bob, room = talk
    say_many(bob, room, 60)
    growing = bob.http.post(
        f"/rooms/{room}/messages", json={"localId": new_local_id(), "body": "It begins", "growing": True}
    ).json()
    say_many(bob, room, 35, start=60)
    open_room(ada, room)
    expect(ada.rows("number 94")).to_be_in_viewport()
    ada.page.locator("#scroller").evaluate("scroller => { scroller.scrollTop -= 200 }")
    kept = ada.page.evaluate_handle(
        """() => { const {top} = document.getElementById('scroller').getBoundingClientRect();
             const rows = [...document.querySelectorAll('#log .row')];
             return rows.find(each => each.getBoundingClientRect().bottom > top); }"""
    )
    from_top = "row => row.getBoundingClientRect().top"
    before = ada.page.evaluate(from_top, kept)
    # What grows stands above what is read.
    added = bob.http.post(f"/messages/{growing['id']}/append", json={"at": 9, "text": "\nmore" * 30})
    assert added.status_code == 200, added.text
    grown = ada.page.locator(f"[data-id='{growing['id']}'] .message__body")
    expect(grown).to_contain_text("more")
    assert abs(ada.page.evaluate(from_top, kept) - before) <= 1
    ada.page.set_viewport_size({"width": 700, "height": 700})
    ada.page.evaluate("() => new Promise(requestAnimationFrame)")
    assert abs(ada.page.evaluate(from_top, kept) - before) <= 1
