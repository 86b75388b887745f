"""A message's way, as two people see it."""

import json
import re
from collections.abc import Callable

from playwright.sync_api import Route
from playwright.sync_api import expect

from tests.support.processes import wait_until
from tests.support.tcp_proxy import TcpProxy

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
        // Without the line that says who has seen it: that comes when somebody has.
        + ' ' + (row.querySelector('.message').offsetHeight - (row.querySelector('.message__seen')?.offsetHeight ?? 0));
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


def test_02_and_04_states_go_forward_in_the_same_node(person: People) -> None:
    ada = person("Ada")
    person("Bob")
    ada.page.evaluate(WATCH, "one node")
    ada.say("one node")
    ada.shows("one node", "Delivered")
    seen = [state.split() for state in ada.page.evaluate("window.seen")]
    assert [state for state, _, _ in seen] == ["Sending", "Sent", "Delivered"]
    assert len({node for _, node, _ in seen}) == 1
    assert len({height for _, _, height in seen}) == 1


def test_01_enter_empties_the_box_and_shows_the_message_at_once(person: People) -> None:
    ada = person("Ada")
    ada.page.route("**/messages", lambda route: None)  # the answer never comes
    ada.say("quick")
    ada.shows("quick", "Sending")
    expect(ada.box).to_have_value("")
    expect(ada.box).to_be_focused()


def test_33_and_34_white_space_is_not_sent_and_shift_enter_makes_a_line(person: People) -> None:
    ada = person("Ada")
    ada.say("  \n ")
    expect(ada.page.get_by_role("button", name="Send")).to_be_disabled()
    expect(ada.box).to_have_value("  \n ")
    ada.box.fill("first line")
    ada.box.press("Shift+Enter")
    ada.box.type("second line")
    ada.box.press("Enter")
    ada.shows("first line\nsecond line")


def test_34_counter_in_the_last_tenth(person: People) -> None:
    ada = person("Ada")
    hint = ada.page.locator("#composer-hint")
    ada.box.fill("a" * 3599)
    expect(hint).to_have_text("")
    ada.box.fill("😀" * 3999)
    expect(hint).to_have_text("1")
    ada.box.fill("a" * 4002)
    expect(hint).to_have_text("-2 – too long to send")
    expect(ada.page.get_by_role("button", name="Send")).to_be_disabled()


def test_05_and_08_refused_then_retried_with_the_same_id(person: People) -> None:
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


def test_05_failed_message_is_deleted(person: People) -> None:
    ada = person("Ada")
    ada.page.route("**/messages", lambda route: route.fulfill(status=403, json={"code": "forbidden"}))
    ada.say("unwanted")
    ada.rows("unwanted").get_by_role("button", name="Delete").click()
    ada.shows("unwanted", count=0)
    ada.page.reload()
    ada.is_live()
    ada.shows("unwanted", count=0)


def test_06_lost_answer_ends_in_one_message(person: People) -> None:
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


def test_06_event_stands_in_for_a_lost_answer(person: People) -> None:
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


def test_03_the_time_is_the_servers_and_says_the_whole_date(person: People) -> None:
    ada = person()
    ada.page.clock.install(time="2031-05-05T12:00:00Z")  # this computer's clock is years ahead
    ada.sign_in("Ada")
    ada.say("at what time?")
    ada.shows("at what time?", "Sent")
    shown = ada.rows("at what time?").locator("time").first
    created = ada.page.evaluate(
        "async () => (await (await fetch('/api/v1/rooms/general/messages?limit=1')).json()).messages[0].createdAt"
    )
    expect(shown).to_have_attribute("datetime", created)
    expect(shown).to_have_attribute("title", re.compile(str(created[:4])))


def test_07_deleted_before_it_left_the_server_never_sees_it(person: People, proxy: TcpProxy) -> None:
    ada, bob = person("Ada"), person("Bob")
    proxy.cut()
    ada.say("first")
    ada.say("never mind")
    ada.say("last")
    ada.shows("never mind", "Sending")
    ada.act("never mind", "Delete")
    ada.shows("never mind", count=0)
    ada.page.reload()
    proxy.restore()
    ada.page.evaluate("() => window.dispatchEvent(new Event('online'))")
    bob.page.evaluate("() => window.dispatchEvent(new Event('online'))")
    bob.shows("last")
    bob.shows("first")
    bob.shows("never mind", count=0)
    said = ada.page.evaluate("async () => (await (await fetch('/api/v1/rooms/general/messages')).json()).messages")
    assert "never mind" not in [message["body"] for message in said]


def test_07_deleted_in_flight_says_that_it_may_have_been_sent_and_comes_back(person: People) -> None:
    ada = person("Ada")
    held: list[Route] = []
    ada.page.route(
        "**/messages", lambda route: held.append(route) if route.request.method == "POST" else route.continue_()
    )
    ada.say("on its way")
    ada.shows("on its way", "Sending")
    # While it is asked something, the page's requests come in here.
    wait_until(lambda: ada.page.evaluate("() => true") and held, what="the send")
    ada.act("on its way", "Delete")
    expect(ada.page.locator("#toast")).to_have_text(
        "Deleted here. It may have been sent already; if so, it will appear again."
    )
    held[0].continue_()
    ada.shows("on its way", "Sent")


def test_07_deleted_in_one_tab_no_other_tab_sends_it(person: People, proxy: TcpProxy) -> None:
    ada = person("Ada")
    proxy.cut()
    ada.say("thought better of it")
    ada.say("still wanted")
    ada.shows("still wanted", "Sending")
    ada.page.route("**/messages", lambda route: route.abort())
    proxy.restore()
    other = ada.new_page()
    other.route("**/messages", lambda route: route.abort())
    other.goto(ada.url)
    waiting = other.locator("#log .message__body").get_by_text("thought better of it")
    expect(waiting).to_be_visible()
    ada.act("thought better of it", "Delete")
    expect(waiting).to_have_count(0)
    for page in (ada.page, other):
        page.unroute("**/messages")
        page.evaluate("() => window.dispatchEvent(new Event('online'))")
    ada.shows("still wanted", "Sent")
    said = ada.page.evaluate("async () => (await (await fetch('/api/v1/rooms/general/messages')).json()).messages")
    assert "thought better of it" not in [message["body"] for message in said]


def test_09_three_that_failed_are_retried_or_deleted_together(person: People) -> None:
    ada = person("Ada")
    ada.page.route("**/messages", lambda route: route.fulfill(status=403, json={"code": "forbidden"}))
    for number in range(3):
        ada.say(f"refused {number}")
        ada.shows(f"refused {number}", "Not sent")
    bar = ada.page.locator("#failed-bar")
    expect(bar).to_contain_text("3 messages not sent")
    ada.page.unroute("**/messages")
    bar.get_by_role("button", name="Retry all").click()
    for number in range(3):
        ada.shows(f"refused {number}", "Sent")
    expect(bar).to_be_hidden()
    expect(ada.box).to_be_focused()


def test_10_a_double_click_and_a_held_key_send_once(person: People) -> None:
    ada = person("Ada")
    ada.box.fill("clicked twice")
    ada.page.get_by_role("button", name="Send").dblclick()
    ada.shows("clicked twice", "Sent")
    ada.box.fill("held down")
    ada.page.keyboard.down("Enter")
    ada.page.keyboard.down("Enter")
    ada.page.keyboard.up("Enter")
    ada.shows("held down", "Sent")


def test_33_the_enter_of_an_input_method_does_not_send(person: People) -> None:
    ada = person("Ada")
    ada.box.fill("にほん")
    for composing, code in ((True, 13), (False, 229)):
        ada.box.evaluate(
            """(box, [isComposing, keyCode]) => box.dispatchEvent(new KeyboardEvent('keydown',
                 {key: 'Enter', keyCode, isComposing, bubbles: true, cancelable: true}))""",
            [composing, code],
        )
    expect(ada.box).to_have_value("にほん")
    ada.box.press("Enter")
    ada.shows("にほん", "Sent")
