"""What happens to real pages: storage that fails, clocks that jump, links that are broken, texts from anywhere.

The numbers are those of docs/ux.md.
"""

import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import Route
from playwright.sync_api import expect

from .conftest import Person

People = Callable[..., Person]

SENDS = "**/api/v1/rooms/*/messages"
# A computer whose clock somebody can set.
SETTABLE = """(() => {
  const Real = Date;
  let byMs = 0;
  window.Date = class extends Real {
    constructor(...given) { if (given.length) super(...given); else super(Real.now() + byMs); }
    static now() { return Real.now() + byMs; }
  };
  window.setClock = (ms) => { byMs += ms; };
})()"""
NEVER_ANSWERS = "indexedDB.constructor.prototype.open = () => ({})"
REFUSES = """IDBObjectStore.prototype.put = () => { throw new DOMException('full', 'QuotaExceededError'); }"""


def refuse(route: Route) -> None:
    if route.request.method == "POST":
        route.abort()
    else:
        route.continue_()


def test_43_what_is_not_sent_survives_a_database_that_the_browser_emptied(person: People) -> None:
    ada = person("Ada")
    ada.page.route(SENDS, refuse)
    ada.say("before the loss")
    ada.shows("before the loss", "Sending")
    session = ada.context.new_cdp_session(ada.page)
    session.send("Storage.clearDataForOrigin", {"origin": ada.url, "storageTypes": "indexeddb"})
    ada.say("after the loss")
    ada.shows("after the loss", "Sending")
    stored = "() => indexedDB.databases().then(all => all.map(({name}) => name))"
    assert "chat-outbox " in ada.page.evaluate(stored)
    ada.page.reload()
    for body in ("before the loss", "after the loss"):
        ada.shows(body, "Sending")


@pytest.mark.parametrize("broken", [NEVER_ANSWERS, REFUSES], ids=["never answers", "full"])
def test_43_without_a_database_messages_go_out_and_it_is_said(person: People, broken: str) -> None:
    ada = person()
    ada.context.add_init_script(broken)
    ada.sign_in("Ada")
    body = f"kept nowhere: {uuid.uuid4().hex[:6]}"
    ada.say(body)
    ada.shows(body, "Sent")
    # Said at the start, where nothing can be read, or with the first that could not be kept.
    expect(ada.page.locator("#toast")).to_contain_text("This browser keeps nothing")


@pytest.mark.parametrize("hours", [-1, 1])
def test_44_a_clock_that_is_set_changes_no_pause(person: People, hours: int) -> None:
    ada = person()
    ada.context.add_init_script(SETTABLE)
    ada.sign_in("Ada")
    limited = [True]

    def answer(route: Route) -> None:
        if route.request.method == "POST" and limited:
            limited.clear()
            route.fulfill(
                status=429,
                content_type="application/problem+json",
                headers={"Retry-After": "1"},
                body='{"code":"rate_limited","status":429,"title":"","detail":"","retryable":true,"retryAfterMs":1000}',
            )
        else:
            route.continue_()

    ada.page.route(SENDS, answer)
    body = f"held up for a second, {hours} h"
    ada.say(body)
    expect(ada.page.locator("#queue")).to_contain_text("too fast")
    ada.page.evaluate(f"setClock({hours} * 3600_000)")
    ada.shows(body, "Sent")


def test_44_today_becomes_yesterday_in_an_open_page(person: People) -> None:
    ada = person()
    ada.page.clock.install()
    ada.sign_in("Ada")
    body = f"said before midnight {uuid.uuid4().hex[:6]}"
    ada.say(body)
    ada.shows(body, "Sent")
    days = ada.page.locator("#log .divider:not(.divider--unread)")
    expect(days.last).to_have_text("Today")
    ada.page.clock.fast_forward(86_400_000)
    expect(days.last).to_have_text("Yesterday")


@pytest.mark.parametrize("path", ["/rooms/caf%E9", "/rooms/100%"])
def test_54_a_broken_address_is_no_room_and_leads_on(person: People, path: str) -> None:
    ada = person("Ada")
    ada.page.goto(ada.url + path)
    expect(ada.page.locator("#room-title")).to_have_text("No such room")
    ada.page.locator("a[data-room=general]").click()
    expect(ada.page.locator("#room-title")).to_have_text("General")
    ada.page.go_back()
    ada.page.go_forward()
    expect(ada.page.locator("#room-title")).to_have_text("General")
    assert [line for line in ada.complaints if "status of 4" not in line] == []


PASTED = [
    ("one\x0btwo", "one\ntwo"),
    ("one\x0ctwo", "one\ntwo"),
    ("a\x85b", "a\nb"),
    ("\x1b[31mred\x1b[0m", "red"),
    ("a\x00b", "ab"),
    ("hello\n\n\n\n", "hello"),
    ("\n \nhello", "hello"),
]


def test_47_what_is_pasted_is_cleaned_before_it_can_fail(person: People) -> None:
    ada = person("Ada")
    for pasted, _ in PASTED:
        ada.box.evaluate(
            "(box, text) => { box.value = text; box.dispatchEvent(new Event('input', {bubbles: true})); }", pasted
        )
        ada.box.press("Enter")
    ada.box.evaluate("box => { box.value = 'cut \\ud83d'; box.dispatchEvent(new Event('input', {bubbles: true})); }")
    ada.box.press("Enter")
    wanted = [*(sent for _, sent in PASTED), "cut"]
    bodies = ada.page.locator("#log .message__body")
    ada.shows("cut", "Sent")
    assert bodies.all_text_contents()[-len(wanted) :] == wanted
    expect(ada.page.locator("#log .row[data-status=failed]")).to_have_count(0)


def test_47_each_line_has_its_own_direction(person: People) -> None:
    ada = person("Ada")
    edge = """([body, letter]) => {
      const text = [...document.querySelectorAll('.message__body')].find(one => one.textContent === body).firstChild;
      const range = document.createRange();
      const at = text.textContent.lastIndexOf(letter);
      range.setStart(text, at);
      range.setEnd(text, at + 1);
      return range.getBoundingClientRect().left;
    }"""
    hebrew_below, english_below = "hello there\nשלום עולם.", "שלום עולם\nhello world."
    for body in (hebrew_below, english_below):
        ada.say(body)
    ada.shows(english_below, "Sent")
    assert ada.page.evaluate(edge, [hebrew_below, "."]) < ada.page.evaluate(edge, [hebrew_below, "ם"])
    assert ada.page.evaluate(edge, [english_below, "."]) > ada.page.evaluate(edge, [english_below, "d"])


def test_47_marks_that_are_stacked_paint_over_no_other_message(person: People) -> None:
    ada = person("Ada")
    ada.say("the one above")
    ada.shows("the one above", "Sent")
    ada.say("XXXXXX")
    ada.shows("XXXXXX", "Sent")
    ada.page.mouse.move(2, 2)
    above = ada.rows("the one above").locator(".message__body")
    before = above.screenshot()
    storm = "".join("X" + "".join(chr(0x300 + number * 7 % 0x50) for number in range(80)) for _ in range(6))
    ada.rows("XXXXXX").locator(".message__body").evaluate("(body, text) => { body.textContent = text; }", storm)
    assert above.screenshot() == before


def test_52_names_are_found_however_they_are_typed_and_told_apart(person: People) -> None:
    tag = uuid.uuid4().hex[:6]
    for _ in range(2):
        person(f"José {tag}")
    ada = person("Ada")
    ada.page.locator("#open-people").click()
    found = ada.page.locator(".people__item")
    for typed in (f"José {tag}", f"Jose\u0301 {tag}", f"jose {tag}"):
        ada.page.locator("#people-filter").fill(typed)
        expect(found).to_have_count(2)
        assert len(set(found.locator(".people__id").all_text_contents())) == 2


def test_57_enter_makes_a_new_line_where_there_is_no_shift(person: People) -> None:
    ada = person("Ada", has_touch=True, is_mobile=True, viewport={"width": 393, "height": 727})
    ada.box.tap()
    ada.page.keyboard.type("line one")
    ada.page.keyboard.press("Enter")
    ada.page.keyboard.type("line two")
    expect(ada.box).to_have_value("line one\nline two")
    ada.page.get_by_role("button", name="Send").tap()
    ada.shows("line one\nline two", "Sent")
