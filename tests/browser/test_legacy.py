"""The page for old browsers, in a Chromium that has lost what they lack. A real one of them is not at hand."""

import json
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Request
from playwright.sync_api import Route
from playwright.sync_api import expect

from tests.support.processes import wait_until
from tests.support.tcp_proxy import TcpProxy

from .conftest import Person

People = Callable[..., Person]

SENDS = re.compile(r"/api/v1/rooms/[^/]+/messages$")
POLLS = "**/api/v1/events/poll?*"
# The browser's own tools run in the page too and need the rest of the new names. That none of them is used is held by
# tests/js/legacy.test.js.
OLD = """(() => {
  const missing = ['fetch', 'EventSource', 'Promise', 'indexedDB', 'URL', 'URLSearchParams', 'AbortController',
    'BroadcastChannel', 'CustomEvent', 'IntersectionObserver', 'ResizeObserver', 'queueMicrotask'];
  for (const name of missing) Object.defineProperty(window, name, {value: undefined, configurable: true});
  const gone = [[Object, 'assign'], [Array, 'from of'], [NodeList.prototype, 'forEach'],
    [CharacterData.prototype, 'remove'],
    [Element.prototype, 'closest matches remove append prepend replaceChildren replaceWith toggleAttribute'],
    [Document.prototype, 'append'], [DOMTokenList.prototype, 'toggle']];
  for (const [owner, names] of gone) for (const name of names.split(' ')) delete owner[name];
})()"""
COUNT_REQUESTS = """(() => {
  const send = XMLHttpRequest.prototype.send;
  let underWay = 0;
  window.most = 0;
  XMLHttpRequest.prototype.send = function (body) {
    underWay += 1;
    window.most = Math.max(window.most, underWay);
    this.addEventListener('readystatechange', () => { if (this.readyState === 4) underWay -= 1; });
    send.call(this, body);
  };
})()"""
BLOCKED = "Object.defineProperty(window, 'localStorage', {get: () => { throw new Error('blocked'); }})"
FULL = "Storage.prototype.setItem = () => { throw new Error('full'); }"
STATES = ["Sending", "Sent", "Delivered"]


@pytest.fixture
def old(person: People) -> People:
    """Makes people with an old browser, signed in unless they are to be nobody yet."""

    def make(name: str = "", path: str = "/?transport=poll", **options: object) -> Person:
        made = person(**options)
        made.context.add_init_script(OLD)
        if name:
            made.sign_in(name, path, "Live (polling)")
        return made

    return make


def refuse(route: Route) -> None:
    route.abort()


def without_events(who: Person, name: str) -> None:
    """Signs in; events would confirm what is sent before it is sent again. A poll that is held already goes on."""
    who.page.route(POLLS, refuse)
    who.sign_in(name, "/?transport=poll", live="")


def ask(who: Person, method: str, path: str, body: object = None) -> Any:
    """What a program of theirs would do."""
    answer = who.context.request.fetch(f"{who.url}/api/v1{path}", method=method, data=body or {})
    assert answer.ok, answer.text()
    return answer.json() if answer.status != 204 else None


def new_room(owner: Person, *others: Person, **fields: str) -> tuple[str, str]:
    """Its name and its title; the others are in it."""
    name = f"team-{uuid.uuid4().hex[:8]}"
    title = name.replace("team-", "Team ")
    ask(owner, "POST", "/rooms", {"name": name, "title": title, **fields})
    for other in others:
        user = ask(other, "GET", "/session")["user"]["id"]
        ask(owner if fields else other, "PUT", f"/rooms/{name}/members/{user if fields else 'me'}")
    return name, title


def say(who: Person, room: str, body: str) -> None:
    ask(who, "POST", f"/rooms/{room}/messages", {"localId": uuid.uuid4().hex, "body": body})


def bodies(who: Person, prefix: str) -> list[str]:
    texts = seen_by_script(
        who, "[].map.call(document.querySelectorAll('#log .message__body'), body => body.textContent)"
    )
    return [text for text in texts if text.startswith(prefix)]


def stored(who: Person) -> int:
    """How many messages their browser keeps."""
    return int(seen_by_script(who, "Object.keys(localStorage).filter(key => /^chat-outbox .*u_/.test(key)).length"))


def seen_by_script(who: Person, expression: str) -> Any:
    # Not by a locator, nor as it is: what carries values out of a page misses what was taken away there.
    return json.loads(who.page.evaluate(f"JSON.stringify({expression})"))


def to_the_top(who: Person) -> None:
    who.page.evaluate("document.getElementById('scroller').scrollTop = 0")


def rows_in_the_log(who: Person) -> int:
    return int(seen_by_script(who, "document.querySelectorAll('#log .row').length"))


def local_id_of(request: Request) -> str:
    return str(json.loads(request.post_data or "{}")["localId"])


def sends_of(who: Person) -> list[str]:
    """The localIds of all that is sent from now on, one for each try."""
    sent: list[str] = []
    who.page.on("request", lambda request: sent.append(local_id_of(request)) if SENDS.search(request.url) else None)
    return sent


def wait_for(who: Person, condition: Callable[[], bool], what: str) -> None:
    def met() -> bool:
        who.page.evaluate("0")  # what the browser tells is heard while it is asked something
        return condition()

    wait_until(met, 15, what)


def in_room(who: Person, title: str) -> None:
    who.page.get_by_role("link", name=title).click()
    expect(who.page.locator("#room-title")).to_have_text(title)


# ---- Two people ----


def test_old_and_new_write_to_each_other(old: People, person: People) -> None:
    ada, bob = old("Ada"), person("Bob")
    assert (
        ada.page.evaluate("[typeof fetch, typeof Promise, typeof Element.prototype.closest].join()")
        == "undefined,undefined,undefined"
    )
    ada.say("hello from the old one")
    bob.shows("hello from the old one")
    ada.shows("hello from the old one", "Delivered")
    bob.say("hello from the new one")
    ada.shows("hello from the new one")
    bob.shows("hello from the new one", "Delivered")
    assert [line for line in ada.complaints if "401" not in line] == []


def test_states_go_forward_as_text_and_mark_in_the_same_row(old: People) -> None:
    ada = old("Ada")
    old("Bob")
    ada.page.evaluate(
        """() => {
          window.seen = [];
          new MutationObserver(() => {
            const status = document.querySelector('#log .row:last-child .message__status');
            if (!status) return;
            const row = status.parentNode.parentNode.parentNode;
            row.mark = row.mark || Math.random();
            const state = status.getAttribute('aria-label') + '/' + status.textContent + '/' + row.mark
              + '/' + row.offsetHeight;
            if (window.seen[window.seen.length - 1] !== state) window.seen.push(state);
          }).observe(document.getElementById('log'), {subtree: true, childList: true});
        }"""
    )
    ada.say("one row")
    ada.shows("one row", "Delivered")
    seen = [state.split("/") for state in seen_by_script(ada, "window.seen")]
    assert [label for label, *_ in seen] == STATES
    assert [text for _, text, *_ in seen] == ["… Sending", "✓ Sent", "✓✓ Delivered"]
    assert len({(row, height) for *_, row, height in seen}) == 1


def test_edit_and_delete_reach_the_other(old: People, person: People) -> None:
    ada, bob = old("Ada"), person("Bob")
    ada.say("with a mistaek")
    ada.shows("with a mistaek", "Delivered")
    ada.box.press("ArrowUp")
    expect(ada.box).to_have_value("with a mistaek")
    ada.say("without a mistake")
    bob.shows("without a mistake")
    expect(ada.rows("without a mistake").locator(".message__edited")).to_have_text(" edited")
    row = ada.rows("without a mistake")
    row.hover()
    row.get_by_role("button", name="Delete").click()
    ada.page.get_by_role("button", name="Delete for everyone").click()
    for someone in (ada, bob):
        someone.shows("without a mistake", count=0)
    expect(ada.page.get_by_text("message deleted").last).to_be_visible()
    expect(ada.box).to_be_focused()


def test_who_is_writing_is_shown_both_ways(old: People, person: People) -> None:
    ada, bob = old("Ada"), person("Bob")
    ada.box.press_sequentially("thinking alou")
    expect(bob.page.locator("#typing")).to_contain_text("Ada is")
    ada.box.press_sequentially("d")
    ada.box.press("Enter")
    bob.shows("thinking aloud")
    expect(bob.page.locator("#typing")).to_have_text("")
    # Of what comes within three seconds of the last time, nothing is passed on.
    bob.box.press_sequentially("me too", delay=400)
    expect(ada.page.locator("#typing")).to_have_text("Bob is typing…")
    bob.box.fill("")
    expect(ada.page.locator("#typing")).to_have_text("")


def test_a_reply_grows_before_ones_eyes(old: People) -> None:
    ada, bob = old("Ada"), old("Bob")
    reply = ask(ada, "POST", "/rooms/general/messages", {"localId": uuid.uuid4().hex, "body": "", "growing": True})
    text = ""
    growing = bob.page.locator(".row--growing .message__body")
    for piece in ("Well, ", "let me ", "think 🤔 ", "about it."):
        ask(ada, "POST", f"/messages/{reply['id']}/append", {"at": len(text), "text": piece})
        text += piece
        expect(growing).to_have_text(text.strip())
    ask(ada, "POST", f"/messages/{reply['id']}/finish")
    expect(growing).to_have_count(0)
    bob.shows(text)


def test_at_most_two_requests_at_once(old: People) -> None:
    ada, bob = old(), old("Bob")
    ada.context.add_init_script(COUNT_REQUESTS)
    ada.sign_in("Ada", "/?transport=poll", "Live (polling)")
    for number in range(5):
        ada.say(f"quickly {number}")
        bob.say(f"and back {number}")
    ada.shows("quickly 4", "Delivered")
    ada.shows("and back 4")
    assert seen_by_script(ada, "window.most") == 2


# ---- Rooms ----


def test_unread_is_counted_and_read_marks_are_told(old: People) -> None:
    ada, bob = old("Ada"), old("Bob")
    room, title = new_room(ada, bob)
    link = bob.page.get_by_role("link", name=title)
    expect(link).to_be_visible()
    for number in range(3):
        say(ada, room, f"number {number}")
    expect(link.get_by_label("3 unread")).to_be_visible()
    expect(bob.page).to_have_title("(3) General")
    bob.page.reload()
    expect(link.get_by_label("3 unread")).to_be_visible()
    link.click()
    bob.shows("number 2")
    expect(bob.page.locator(".row", has=bob.page.locator(".divider--unread"))).to_contain_text("number 0")
    expect(link.get_by_label("3 unread")).to_have_count(0)
    expect(bob.page).to_have_title(title)
    wait_for(bob, lambda: ask(bob, "GET", f"/rooms/{room}")["unread"] == 0, "what was read to be told")


def test_what_comes_again_with_its_cursor_counts_once(old: People) -> None:
    ada, bob = old(), old("Bob")
    without_events(ada, "Ada")
    room, title = new_room(bob, ada)
    ada.page.reload()
    expect(ada.page.get_by_role("link", name=title)).to_be_visible()
    say(bob, room, "twice told")
    message = ask(bob, "GET", f"/rooms/{room}/messages")["messages"][0]
    event = {"type": "message.created", "room": room, "message": message}
    events = [{**event, "cursor": None}, {**event, "cursor": message["cursor"]}]
    answers = [{"events": events, "cursor": message["cursor"], "more": False}]
    ada.page.unroute(POLLS)
    ada.page.route(POLLS, lambda route: route.fulfill(json=answers.pop()) if answers else route.continue_())
    ada.page.evaluate("document.getElementById('banner-try').click()")
    ada.is_live("Live (polling)")
    expect(ada.page.get_by_role("link", name=title).get_by_label("1 unread")).to_be_visible()


def test_public_rooms_are_joined_and_left(old: People) -> None:
    ada, bob = old("Ada"), old("Bob")
    room, title = new_room(ada)
    say(ada, room, "before you came")
    bob.page.reload()
    in_room(bob, title)
    bob.shows("before you came")
    assert "transport=poll" in bob.page.url
    expect(bob.box).to_be_hidden()
    bob.page.get_by_role("button", name="Join").click()
    expect(bob.box).to_be_focused()
    say(ada, room, "for members")
    bob.shows("for members")
    expect(bob.page.locator("#room-about")).to_have_text("Public · 2 members · 2 online")
    bob.page.get_by_role("button", name="Leave").click()
    bob.page.locator("#ask").get_by_role("button", name="Leave").click()
    expect(bob.page.get_by_role("button", name="Join")).to_be_visible()
    bob.page.go_back()
    expect(bob.page.locator("#room-title")).to_have_text("General")


def test_a_direct_room_has_a_dot_for_who_is_there(old: People) -> None:
    ada, bob = old("Ada"), old("Bob")
    user = ask(ada, "GET", "/session")["user"]["id"]
    ask(bob, "PUT", f"/direct/{user}")
    link = ada.page.get_by_role("link", name="Bob")
    expect(link.get_by_label("Online")).to_be_visible()
    bob.page.get_by_role("button", name="Sign out").click()
    bob.page.locator("#ask").get_by_role("button", name="Sign out").click()
    expect(bob.page.get_by_label("Name")).to_be_visible()
    expect(link.get_by_label("Offline")).to_be_visible()


def test_a_room_that_is_gone_leads_home_and_says_so(old: People) -> None:
    ada, bob = old("Ada"), old("Bob")
    deleted, deleted_title = new_room(ada, bob)
    removed, removed_title = new_room(ada, bob, visibility="private")
    user = ask(bob, "GET", "/session")["user"]["id"]
    in_room(bob, deleted_title)
    ask(ada, "DELETE", f"/rooms/{deleted}")
    expect(bob.page.locator("#toast")).to_have_text(f"{deleted_title} was deleted.")
    expect(bob.page.locator("#room-title")).to_have_text("General")
    in_room(bob, removed_title)
    ask(ada, "DELETE", f"/rooms/{removed}/members/{user}")
    expect(bob.page.locator("#toast")).to_have_text(f"You are no longer in {removed_title}.")
    expect(bob.page.get_by_role("link", name=removed_title)).to_have_count(0)


@pytest.mark.parametrize("path", ["/rooms/nowhere", "/rooms/100%"])
def test_an_address_without_a_room_leads_on(old: People, path: str) -> None:
    ada = old("Ada")
    ada.page.goto(f"{ada.url}{path}?transport=poll")
    expect(ada.page.locator("#room-title")).to_have_text("No such room")
    in_room(ada, "General")


# ---- History ----


def test_older_messages_are_loaded_when_asked_for(old: People) -> None:
    ada = old("Ada")
    room, title = new_room(ada)
    for number in range(60):
        if number % 20 == 0:  # more would be too fast for one person
            writer = old(f"Writer {number}")
            ask(writer, "PUT", f"/rooms/{room}/members/me")
        say(writer, room, f"number {number}")
    in_room(ada, title)
    ada.shows("number 59")
    ada.shows("number 10")
    ada.shows("number 9", count=0)
    to_the_top(ada)
    held = ada.rows("number 10").bounding_box()
    ada.page.get_by_role("button", name="Load older messages").click()
    ada.shows("number 0")
    moved = ada.rows("number 10").bounding_box()
    assert held
    assert moved
    assert abs(held["y"] - moved["y"]) <= 40  # the button above it went away
    assert bodies(ada, "number") == [f"number {number}" for number in range(60)]
    to_the_top(ada)
    expect(ada.page.get_by_text(f"This is the beginning of {title}.")).to_be_visible()
    expect(ada.page.get_by_role("button", name="Load older messages")).to_be_hidden()


def test_the_log_never_has_more_than_two_hundred_rows(old: People) -> None:
    ada = old("Ada")
    room, title = new_room(ada)
    total = 330
    say(ada, room, "what a message looks like")
    message = ask(ada, "GET", f"/rooms/{room}/messages")["messages"][0] | {"sender": {"id": "u_x", "name": "Xavier"}}

    def page_of(route: Route) -> None:
        before = re.search(r"before=(\d+)-0", route.request.url)
        end = int(before[1]) - 1 if before else total
        start = max(0, end - 50)
        messages = [
            {**message, "id": f"id-{n}", "localId": f"other-{n}", "body": f"number {n}", "cursor": f"{n + 1}-0"}
            for n in range(start, end)
        ]
        cursor = f"{start + 1}-0"
        route.fulfill(
            json={"messages": messages, "before": cursor, "after": None, "hasMore": start > 0, "cursor": "1-0"}
        )

    ada.page.route(re.compile(f"/rooms/{room}/messages\\?"), page_of)
    in_room(ada, title)
    rows = ada.page.locator("#log .row")
    expect(rows).to_have_count(50)
    for first in (230, 180, 130, 80, 30, 0):
        ada.page.locator("#load-older").click()
        ada.shows(f"number {first}")
        assert rows_in_the_log(ada) <= 200
    ada.shows("number 199")
    ada.shows("number 200", count=0)
    assert bodies(ada, "number") == [f"number {number}" for number in range(200)]
    ada.page.get_by_role("button", name="↓ Latest").click()
    expect(ada.rows(f"number {total - 1}")).to_be_in_viewport()
    assert rows_in_the_log(ada) == 200


# ---- Failing and waiting ----


def test_refused_in_words_then_retried_under_the_same_id(old: People) -> None:
    ada, bob = old("Ada"), old("Bob")
    sent = sends_of(ada)
    answer = {"code": "invalid_message", "errors": {"body": ["Not today."]}}
    ada.page.route(SENDS, lambda route: route.fulfill(status=422, json=answer))
    ada.say("please")
    row = ada.rows("please")
    expect(row.get_by_role("alert")).to_have_text("Not sent – not today")
    ada.shows("please", "Failed")
    ada.page.reload()
    ada.shows("please", "Failed")
    ada.page.unroute(SENDS)
    row.get_by_role("button", name="Retry").click()
    ada.shows("please", "Delivered")
    expect(ada.box).to_be_focused()
    bob.shows("please")
    assert len(sent) == 2
    assert len(set(sent)) == 1


def test_what_failed_is_deleted_one_by_one_or_all(old: People) -> None:
    ada = old("Ada")
    ada.page.route(SENDS, lambda route: route.fulfill(status=403, json={"code": "forbidden"}))
    for letter in "ABCD":
        ada.say(f"unwanted {letter}")
    expect(ada.page.locator("#failed-text")).to_have_text("4 messages not sent")
    ada.rows("unwanted A").get_by_role("button", name="Delete").click()
    expect(ada.page.locator("#failed-text")).to_have_text("3 messages not sent")
    ada.page.get_by_role("button", name="Delete all").click()
    ada.page.locator("#ask").get_by_role("button", name="Delete").click()
    expect(ada.page.locator("#log .row[data-status=failed]")).to_have_count(0)
    ada.page.reload()
    ada.is_live("Live (polling)")
    assert bodies(ada, "unwanted") == []


def test_too_fast_waits_and_goes_on_by_itself(old: People) -> None:
    ada = old("Ada")
    tried_at: list[float] = []

    def refuse_first(route: Route) -> None:
        tried_at.append(time.monotonic())
        if len(tried_at) > 1:
            return route.continue_()
        return route.fulfill(status=429, headers={"Retry-After": "2"}, json={"code": "rate_limited"})

    ada.page.route(SENDS, refuse_first)
    ada.say("too fast A")
    expect(ada.page.locator("#queue")).to_contain_text("You’re sending too fast – resuming in")
    ada.say("too fast B")
    ada.shows("too fast B", "Sent")
    assert len(tried_at) == 3
    assert tried_at[1] - tried_at[0] > 1.9  # both clocks are read a little late
    assert bodies(ada, "too fast") == ["too fast A", "too fast B"]
    expect(ada.page.locator("#queue")).to_have_text("")


def test_offline_is_said_counted_down_and_over(old: People, proxy: TcpProxy) -> None:
    ada = old("Ada")
    banner = ada.page.locator("#banner-text")
    proxy.cut()
    expect(banner).to_have_text("Connection lost. Reconnecting…")
    assert ada.page.locator("#banner-count").text_content() == ""
    expect(banner).to_have_text("You’re offline. Messages will be sent when you reconnect.")
    expect(ada.page.locator("#banner-count")).to_have_text(re.compile(r"^Retrying (in \d+ s|now…)$"))
    expect(ada.box).to_be_enabled()
    proxy.restore()
    ada.page.evaluate("document.getElementById('banner-try').click()")
    expect(banner).to_have_text("Back online")
    expect(ada.page.locator("#banner")).to_be_hidden()


def test_holds_that_are_cut_twice_are_halved(person: People, proxy: TcpProxy) -> None:
    ada = person()
    waits: list[int] = []
    cuts: list[Request] = []
    ada.page.on("request", lambda request: waits.extend(map(int, re.findall(r"/poll\?.*wait=(\d+)", request.url))))
    ada.page.on("requestfailed", lambda request: cuts.append(request))
    ada.page.clock.install()
    ada.sign_in("Ada", "/?transport=poll", "Live (polling)")

    def cut_off() -> bool:
        proxy.cut_now()  # again, if the browser has asked again by itself
        return bool(cuts)

    for _ in range(2):
        wait_for(ada, lambda: waits[-1] == 25, "the long hold")
        cuts.clear()
        ada.page.clock.fast_forward(6_000)
        wait_for(ada, cut_off, "the cut")
        ada.page.clock.fast_forward(30_000)
    wait_for(ada, lambda: waits[-2:] == [0, 12], "the hold of half the time")


def test_session_over_keeps_what_waits_and_sends_it_as_nobody_else(old: People) -> None:
    ada, bob = old("Ada"), old("Bob")
    ada.page.route(SENDS, refuse)
    ada.say("mine alone")
    ada.shows("mine alone", "Sending")
    ada.context.clear_cookies()
    bob.say("the poll of Ada ends")
    expect(ada.page.get_by_text("Signed out – sign in to send 1 pending message.")).to_be_visible()
    ada.page.unroute(SENDS)
    sent = sends_of(ada)
    ada.page.get_by_label("Name").fill("Bea")
    ada.page.get_by_role("button", name="Join chat").click()
    expect(ada.page.locator("#left-text")).to_have_text(
        "1 unsent message of Ada in this browser, the first: “mine alone”"
    )
    ada.say("as Bea")
    bob.shows("as Bea")
    bob.shows("mine alone", count=0)
    assert len(sent) == 1
    ada.page.get_by_role("button", name="Send as Bea").click()
    bob.shows("mine alone")
    expect(ada.page.locator("#left-bar")).to_be_hidden()


@pytest.mark.parametrize("broken", [BLOCKED, FULL], ids=["blocked", "full"])
def test_without_storage_messages_go_out_and_it_is_said(old: People, broken: str) -> None:
    ada = old()
    ada.context.add_init_script(broken)
    ada.sign_in("Ada", "/?transport=poll", "Live (polling)")
    expect(ada.page.locator("#toast")).to_contain_text("This browser keeps nothing just now")
    body = f"kept nowhere: {uuid.uuid4().hex[:6]}"
    ada.say(body)
    ada.shows(body, "Sent")


def test_many_events_come_page_by_page(old: People) -> None:
    ada, bob = old(), old("Bob")
    without_events(ada, "Ada")
    for number in range(6):
        say(bob, "general", f"page {number}")
    ada.page.unroute(POLLS)
    ada.page.route(POLLS, lambda route: route.continue_(url=route.request.url + "&limit=2"))
    ada.page.evaluate("document.getElementById('banner-try').click()")
    ada.shows("page 5")
    assert bodies(ada, "page") == [f"page {number}" for number in range(6)]


def test_a_reset_loads_rooms_and_histories_anew(old: People) -> None:
    ada, bob = old(), old("Bob")
    without_events(ada, "Ada")
    room, title = new_room(bob, ada)
    say(bob, "general", "only in the history")
    say(bob, room, "unread elsewhere")
    cursor = ask(bob, "GET", "/rooms")["cursor"]
    answers = [{"events": [], "cursor": cursor, "more": False, "reset": True}]
    ada.page.unroute(POLLS)
    ada.page.route(POLLS, lambda route: route.fulfill(json=answers.pop()) if answers else route.continue_())
    ada.page.evaluate("document.getElementById('banner-try').click()")
    expect(ada.page.locator("#toast")).to_have_text("Some older messages are loading…")
    ada.shows("only in the history")
    expect(ada.page.get_by_role("link", name=title).get_by_label("1 unread")).to_be_visible()
    say(bob, "general", "and on it goes")
    ada.shows("and on it goes")


def test_a_cursor_that_is_refused_begins_anew(old: People) -> None:
    ada, bob = old(), old("Bob")
    without_events(ada, "Ada")
    say(bob, "general", "before the refusal")
    refusals = [{"code": "invalid_cursor", "status": 400}]
    ada.page.unroute(POLLS)
    ada.page.route(
        POLLS, lambda route: route.fulfill(status=400, json=refusals.pop()) if refusals else route.continue_()
    )
    ada.page.evaluate("document.getElementById('banner-try').click()")
    ada.shows("before the refusal")
    ada.is_live("Live (polling)")


def test_a_server_that_is_away_at_first_is_waited_for(old: People) -> None:
    ada = old("Ada")
    ada.page.route("**/api/v1/session?*", refuse)
    ada.page.reload()
    expect(ada.page.get_by_text("The server does not answer. Trying again…")).to_be_visible()
    ada.page.unroute("**/api/v1/session?*")
    ada.is_live("Live (polling)")
    expect(ada.page.get_by_text("The server does not answer. Trying again…")).to_be_hidden()


def test_a_cookie_that_changed_hands_sends_nothing_as_somebody_else(old: People) -> None:
    ada, bob = old("Ada"), old("Bob")
    ada.context.add_cookies(list(bob.context.cookies()))  # type: ignore[arg-type]
    ada.say("whose words are these?")
    expect(ada.page.locator("#user-name")).to_have_text("Bob")
    expect(ada.page.locator("#left-text")).to_contain_text("1 unsent message of Ada")
    say(bob, "general", "nobody said anything")
    bob.shows("nobody said anything")
    bob.shows("whose words are these?", count=0)
    ada.page.get_by_role("button", name="Discard").click()
    expect(ada.page.locator("#left-bar")).to_be_hidden()
    assert stored(ada) == 0


# ---- Exactly once ----


def test_a_connection_that_is_cut_sends_once(old: People, person: People, proxy: TcpProxy, service_url: str) -> None:
    ada, bob = old("Ada"), person()
    bob.url = service_url
    bob.sign_in("Bob")
    for number in range(4):
        ada.say(f"cut {number}")
        proxy.cut_now()
    ada.shows("cut 3", "Delivered")
    for number in range(4):
        bob.shows(f"cut {number}")
    assert bodies(ada, "cut") == bodies(bob, "cut") == [f"cut {number}" for number in range(4)]


def test_an_answer_that_is_swallowed_ends_in_one_message(
    old: People, proxy: TcpProxy, person: People, service_url: str
) -> None:
    ada, bob = old(), person()
    bob.url = service_url
    bob.sign_in("Bob")
    without_events(ada, "Ada")
    sent = sends_of(ada)
    proxy.swallow_replies()
    with ada.page.expect_event("requestfailed", lambda request: bool(SENDS.search(request.url))):
        ada.say("swallowed")
    bob.shows("swallowed")
    ada.shows("swallowed", "Sending")
    proxy.heal()
    expect(ada.rows("swallowed").locator(".message__status")).not_to_have_attribute(
        "aria-label", "Sending", timeout=40_000
    )
    assert len(sent) >= 2
    assert len(set(sent)) == 1
    bob.shows("swallowed", count=1)
    assert ask(bob, "GET", "/rooms/general/messages")["messages"][-1]["localId"] == sent[0]


def test_its_event_stands_in_for_a_swallowed_answer(old: People, proxy: TcpProxy) -> None:
    ada = old("Ada")
    proxy.swallow_replies()
    ada.say("confirmed by its event")
    ada.shows("confirmed by its event", "Sent")
    proxy.heal()
    ada.page.reload()
    ada.shows("confirmed by its event", "Sent", count=1)
    expect(ada.page.locator("#queue")).to_have_text("")


def test_what_is_held_back_on_the_way_arrives_once(
    old: People, proxy: TcpProxy, person: People, service_url: str
) -> None:
    ada, bob = old("Ada"), person()
    bob.url = service_url
    bob.sign_in("Bob")
    proxy.silence()
    for letter in "ABC":
        ada.say(f"held {letter}")
    expect(ada.page.locator("#queue")).to_have_text("3 waiting to be sent")
    proxy.silence(False)
    ada.shows("held C", "Delivered", count=1)
    for letter in "ABC":
        bob.shows(f"held {letter}")
    assert bodies(bob, "held") == ["held A", "held B", "held C"]


@pytest.mark.parametrize("accepted", [False, True], ids=["never sent", "accepted, answer lost"])
def test_a_queue_is_replayed_once_after_a_reload(old: People, person: People, accepted: bool) -> None:
    ada, bob = old(), person("Bob")
    without_events(ada, "Ada")
    lost: list[str] = []

    def lose(route: Route) -> None:
        lost.append(local_id_of(route.request))
        if accepted and len(lost) == 1:
            route.fetch()
        route.abort()

    ada.page.route(SENDS, lose)
    for letter in "ABC":
        ada.say(f"replayed {accepted} {letter}")
    ada.shows(f"replayed {accepted} C", "Sending")
    wait_for(ada, lambda: bool(lost), "the first try")
    ada.page.unroute(SENDS)
    sent = sends_of(ada)
    ada.page.reload()
    wait_for(ada, lambda: len(sent) == 3, "all to be sent again")
    ada.page.unroute(POLLS)
    ada.shows(f"replayed {accepted} C", "Delivered")
    wanted = [f"replayed {accepted} {letter}" for letter in "ABC"]
    for someone in (ada, bob):
        someone.shows(wanted[-1])
        assert bodies(someone, f"replayed {accepted}") == wanted
    assert len(sent) == len(set(sent)) == 3
    assert sent[0] == lost[0]
    assert stored(ada) == 0


def test_two_tabs_share_what_waits_and_send_it_once(old: People) -> None:
    ada, bob = old("Ada"), old("Bob")
    ada.page.route(SENDS, refuse)
    ada.say("from one tab or the other")
    ada.say("deleted in the other tab")
    ada.shows("deleted in the other tab", "Sending")
    other = Person(ada.context, ada.url)
    other.page.route(SENDS, lambda route: route.continue_() if "from one" in (route.request.post_data or "") else None)
    other.page.goto(f"{ada.url}/?transport=poll")
    for someone in (other, ada):
        someone.shows("from one tab or the other", "Delivered")
    other.rows("deleted in the other tab").get_by_role("button", name="Delete").click()
    ada.shows("deleted in the other tab", count=0)
    bob.shows("from one tab or the other")
    assert stored(ada) == 0


# ---- The way here ----


def test_a_browser_without_modules_is_led_here(old: People) -> None:
    ada = old()

    def without_modules(route: Route) -> None:
        text = re.sub(r'<script type="module".*?</script>', "", route.fetch().text(), flags=re.DOTALL)
        route.fulfill(
            body=text.replace("</head>", '<script src="/static/js/legacy.js"></script></head>'),
            content_type="text/html",
        )

    ada.page.route(re.compile(r"/rooms/general\?a=1$"), without_modules)
    ada.page.goto(f"{ada.url}/rooms/general?a=1#end")
    expect(ada.page.get_by_label("Name")).to_be_visible()
    assert ada.page.url == f"{ada.url}/rooms/general?a=1&transport=poll#end"
    ada.page.get_by_label("Name").fill("Ada")
    ada.page.get_by_role("button", name="Join chat").click()
    ada.is_live("Live (polling)")


def test_hostile_bodies_stay_text(old: People) -> None:
    ada, bob = old("Ada"), old("Bob")
    for body in ("<img src=x onerror='window.hacked = 1'>", "javascript:window.hacked=1", "\u202eevil"):
        ada.say(body)
        bob.shows(body)
    ada.say("see https://example.org/path, or (http://example.org/a)")
    links = bob.page.locator("#log a")
    expect(links).to_have_text(["https://example.org/path", "http://example.org/a"])
    expect(links.first).to_have_attribute("rel", "noopener noreferrer nofollow")
    assert bob.page.evaluate("window.hacked") is None
    assert [line for line in ada.complaints + bob.complaints if "401" not in line] == []


def test_the_name_of_the_last_time_is_suggested(old: People) -> None:
    ada = old()
    ada.page.goto(f"{ada.url}/?transport=poll")
    expect(ada.page.get_by_label("Name")).to_have_value(re.compile(r"^[A-Z][a-z]+ [A-Z][a-z]+$"))
    ada.sign_in("Ada Lovelace", "/?transport=poll", "Live (polling)")
    ada.page.get_by_role("button", name="Sign out").click()
    ada.page.locator("#ask").get_by_role("button", name="Sign out").click()
    expect(ada.page.get_by_label("Name")).to_have_value("Ada Lovelace")
