"""A message's way, as two people see it."""

import json
from collections.abc import Callable

from playwright.sync_api import Route
from playwright.sync_api import expect

from .conftest import Person

People = Callable[..., Person]

# Writes down every state a message passes through, and whether its node stays the same.
WATCH = """body => {
  window.seen = [];
  const look = () => {
    for (const row of document.querySelectorAll('#log .row')) {
      if (row.querySelector('.message__body').textContent !== body) continue;
      row.mark ??= Math.random();
      const state = row.querySelector('.message__status').getAttribute('aria-label') + ' ' + row.mark
        + ' ' + row.querySelector('.message').offsetHeight;
      if (window.seen.at(-1) !== state) window.seen.push(state);
    }
  };
  const everything = {subtree: true, childList: true, attributes: true};
  new MutationObserver(look).observe(document.getElementById('log'), everything);
}"""


def local_id_of(route: Route) -> str:
    return str(json.loads(route.request.post_data or "{}")["localId"])


def test_two_people_see_each_other(person: People) -> None:
    ada, bob = person("Ada"), person("Bob")
    ada.say("hello from Ada")
    bob.shows("hello from Ada")
    bob.say("hello from Bob")
    ada.shows("hello from Bob")
    ada.shows("hello from Ada", "Delivered")


def test_states_go_forward_in_the_same_node(person: People) -> None:
    ada = person("Ada")
    person("Bob")
    ada.page.evaluate(WATCH, "one node")
    ada.say("one node")
    ada.shows("one node", "Delivered")
    seen = [state.split() for state in ada.page.evaluate("window.seen")]
    assert [state for state, _, _ in seen] == ["Sending", "Sent", "Delivered"]
    assert len({node for _, node, _ in seen}) == 1
    assert len({height for _, _, height in seen}) == 1


def test_enter_empties_the_box_and_shows_the_message_at_once(person: People) -> None:
    ada = person("Ada")
    ada.page.route("**/messages", lambda route: None)  # the answer never comes
    ada.say("quick")
    ada.shows("quick", "Sending")
    expect(ada.box).to_have_value("")
    expect(ada.box).to_be_focused()


def test_white_space_is_not_sent_and_shift_enter_makes_a_line(person: People) -> None:
    ada = person("Ada")
    ada.say("  \n ")
    expect(ada.page.get_by_role("button", name="Send")).to_be_disabled()
    expect(ada.box).to_have_value("  \n ")
    ada.box.fill("first line")
    ada.box.press("Shift+Enter")
    ada.box.type("second line")
    ada.box.press("Enter")
    ada.shows("first line\nsecond line")


def test_counter_in_the_last_tenth(person: People) -> None:
    ada = person("Ada")
    hint = ada.page.locator("#composer-hint")
    ada.box.fill("a" * 3599)
    expect(hint).to_have_text("")
    ada.box.fill("😀" * 3999)
    expect(hint).to_have_text("1")
    ada.box.fill("a" * 4002)
    expect(hint).to_have_text("-2 – too long to send")
    expect(ada.page.get_by_role("button", name="Send")).to_be_disabled()


def test_refused_then_retried_with_the_same_id(person: People) -> None:
    ada, bob = person("Ada"), person("Bob")
    sent: list[str] = []

    def refuse_first(route: Route) -> None:
        sent.append(local_id_of(route))
        if len(sent) > 1:
            return route.continue_()
        return route.fulfill(status=422, json={"code": "invalid_message", "errors": {"body": ["Not today."]}})

    ada.page.route("**/messages", refuse_first)
    ada.say("please")
    row = ada.rows("please")
    expect(row.get_by_role("alert")).to_have_text("Not sent – not today")
    ada.shows("please", "Not sent")
    row.get_by_role("button", name="Retry").click()
    ada.shows("please", "Delivered")
    expect(ada.box).to_be_focused()
    bob.shows("please")
    assert len(sent) == 2
    assert len(set(sent)) == 1


def test_failed_message_is_deleted(person: People) -> None:
    ada = person("Ada")
    ada.page.route("**/messages", lambda route: route.fulfill(status=403, json={"code": "forbidden"}))
    ada.say("unwanted")
    ada.rows("unwanted").get_by_role("button", name="Delete").click()
    ada.shows("unwanted", count=0)
    ada.page.reload()
    ada.is_live()
    ada.shows("unwanted", count=0)


def test_lost_answer_ends_in_one_message(person: People) -> None:
    ada, bob = person(), person("Bob")
    tries: list[str] = []

    def lose_first_answer(route: Route) -> None:
        tries.append(local_id_of(route))
        if len(tries) > 1:
            return route.continue_()
        route.fetch()
        return route.abort()

    # No events: they would confirm the message before it is sent again.
    ada.page.route("**/events/**", lambda route: route.abort())
    ada.page.route("**/messages", lose_first_answer)
    ada.sign_in("Ada", live="")
    ada.say("only once")
    bob.shows("only once")
    # Sent, or delivered if Bob's ack was quicker than the retry.
    expect(ada.rows("only once").locator(".message__status")).not_to_have_attribute("aria-label", "Sending")
    assert len(tries) == 2
    assert len(set(tries)) == 1
    bob.shows("only once")


def test_event_stands_in_for_a_lost_answer(person: People) -> None:
    ada = person("Ada")

    def lose_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    ada.page.route("**/messages", lose_answer)
    ada.say("confirmed by its event")
    ada.shows("confirmed by its event", "Sent")
    ada.page.reload()
    ada.shows("confirmed by its event", "Sent")


def test_edit_and_withdraw_reach_the_other(person: People) -> None:
    ada, bob = person("Ada"), person("Bob")
    ada.say("with a mistaek")
    bob.shows("with a mistaek")
    ada.shows("with a mistaek", "Delivered")
    ada.box.press("ArrowUp")
    expect(ada.box).to_have_value("with a mistaek")
    ada.say("without a mistake")
    row = bob.rows("without a mistake")
    expect(row.locator(".message__edited")).to_have_text("edited")
    ada.act("without a mistake", "Delete")
    ada.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    bob.shows("without a mistake", count=0)
    expect(bob.page.get_by_text("message deleted").last).to_be_visible()
