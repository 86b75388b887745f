"""What everybody must be able to see and hear. The numbers are those of docs/ux.md."""

import json
import re
import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import Page
from playwright.sync_api import expect

from tests.support.person import Person as Caller
from tests.support.service import ROOT

from .conftest import Person

People = Callable[..., Person]

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = {"serious", "critical"}


def findings(page: Page) -> list[str]:
    """What axe-core finds serious, a line each."""
    page.evaluate(AXE.read_text("utf-8") + "; undefined")
    results = page.evaluate("async () => (await axe.run(document, {resultTypes: ['violations']})).violations")
    return [
        f"{one['impact']} {one['id']}: {node['html'][:120]} {json.dumps(node['any'][:1])[:300]}"
        for one in results
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


def lively(ada: Person, bob: Caller) -> str:
    """A room with something of everything."""
    room = bob.create_room()
    first = bob.send(room, "see https://example.org and `code`\n```\nmuch code\n```\n> quoted\n- one\n- two")
    bob.http.post(
        f"/rooms/{room}/messages",
        json={"localId": uuid.uuid4().hex, "body": "an answer", "data": {"replyTo": first["id"]}},
    )
    me = ada.page.evaluate("async () => (await (await fetch('/api/v1/session')).json()).user.id")
    bob.send(bob.http.put(f"/direct/{me}").json()["name"], "unread")
    ada.page.goto(f"{ada.url}/rooms/{room}")
    ada.page.get_by_role("button", name="Join", exact=True).click()
    ada.say("sent")
    ada.shows("sent", "Sent")
    ada.page.route("**/messages", lambda route: route.fulfill(status=403, json={"code": "forbidden"}))
    ada.say("refused")
    ada.shows("refused", "Not sent")
    ada.page.unroute("**/messages")
    bob.http.post(f"/rooms/{room}/messages", json={"localId": uuid.uuid4().hex, "body": "It grows", "growing": True})
    ada.shows("It grows")
    return room


@pytest.mark.parametrize("scheme", ["light", "dark", "forced"])
def test_36_axe_finds_nothing_serious(person: People, bob: Caller, scheme: str) -> None:
    forced = {"forced_colors": "active"} if scheme == "forced" else {"color_scheme": scheme}
    ada = person(**forced)
    ada.page.goto(ada.url)
    expect(ada.page.get_by_label("Name")).to_be_visible()
    assert findings(ada.page) == []
    ada.page.get_by_role("button", name="Join chat").click()
    ada.is_live()
    lively(ada, bob)
    assert findings(ada.page) == []
    dialogs = {
        "Browse rooms": "#browse-dialog",
        "People in this room": "#people-dialog",
        "New room": "#new-room-dialog",
        "Find a room or a person": "#find-dialog",
    }
    for name, dialog in dialogs.items():
        ada.page.get_by_role("button", name=name).click()
        expect(ada.page.locator(dialog)).to_be_visible()
        assert findings(ada.page) == [], name
        ada.page.keyboard.press("Escape")
        ada.page.keyboard.press("Escape") if ada.page.locator(dialog).is_visible() else None
    for menu in ("Your settings", "Room menu"):
        ada.page.get_by_role("button", name=menu).click()
        expect(ada.page.get_by_role("menu")).to_be_visible()
        assert findings(ada.page) == [], menu
        ada.page.keyboard.press("Escape")


def test_36_the_log_is_one_and_speaks_what_others_say_once(person: People, bob: Caller) -> None:
    ada = person("Ada")
    log = ada.page.get_by_role("log")
    expect(log).to_have_accessible_name("Messages")
    spoken = ada.page.locator("#announcer")
    expect(spoken).to_have_attribute("aria-live", "polite")
    ada.say("my own is not read to me")
    ada.shows("my own is not read to me", "Sent")
    bob.send("general", "**said** by somebody")
    expect(spoken).to_have_text("Bob: **said** by somebody")
    ada.page.reload()
    ada.is_live()
    expect(ada.rows("my own is not read to me")).to_be_visible()
    expect(spoken).to_have_text("")  # history is not read out


def test_38_no_flash_and_what_the_system_prefers(person: People) -> None:
    ada = person("Ada", color_scheme="dark")
    light, dark = "rgb(255, 255, 255)", "rgb(19, 24, 23)"
    body = ada.page.locator("body")
    expect(body).to_have_css("background-color", dark)
    ada.choose("Your settings", "Light")
    expect(body).to_have_css("background-color", light)
    # The first paint of the next page already has it: the theme is set before anything else.
    ada.page.route("**/page.js", lambda route: route.abort())
    ada.page.evaluate(
        "async () => { for (const one of await navigator.serviceWorker.getRegistrations()) await one.unregister(); }"
    )
    ada.page.goto(f"{ada.url}/?transport=stream")
    expect(body).to_have_css("background-color", light)


def test_38_motion_only_for_those_who_want_it(person: People, bob: Caller) -> None:
    ada = person("Ada", reduced_motion="reduce")
    bob.http.post("/rooms/general/messages", json={"localId": uuid.uuid4().hex, "body": "It grows", "growing": True})
    ada.shows("It grows")
    moving = ada.page.evaluate("() => document.getAnimations().filter(one => one.playState === 'running').length")
    assert moving == 0


def test_40_each_text_has_its_own_direction_and_stays_within_its_message(person: People, bob: Caller) -> None:
    ada = person("Ada")
    mixed = bob.send("general", "שלום עולם\nand then English")
    override = bob.send("general", "turned \u202eround for ever")
    bob.send("general", "stays as it is")
    family = bob.send("general", "👨‍👩‍👧‍👦")
    text = ada.page.locator(f"[data-id='{mixed['id']}'] .message__body")
    expect(text).to_be_visible()
    edges = text.evaluate(
        """body => { const node = body.firstChild; const edge = (from, to) => {
             const range = document.createRange(); range.setStart(node, from); range.setEnd(node, to);
             const {left, right} = range.getBoundingClientRect(); const frame = body.getBoundingClientRect();
             return [left - frame.left, frame.right - right]; };
             const line = node.data.indexOf('\\n');
             return [edge(0, line), edge(line + 1, node.data.length)]; }"""
    )
    (_, hebrew_to_right), (english_to_left, _) = edges
    assert hebrew_to_right < 1
    assert english_to_left < 1
    turned = ada.page.locator(f"[data-id='{override['id']}'] .message__body")
    expect(turned).to_have_css("unicode-bidi", "plaintext")
    expect(ada.page.locator(f"[data-id='{family['id']}'] .message--emoji")).to_be_visible()


def test_56_sizes_weights_and_rows(person: People, bob: Caller) -> None:
    ada = person("Ada")
    bob.send("general", "measured")
    ada.shows("measured")
    for locator, size, weight in (
        (ada.rows("measured").locator(".message__body"), "15px", "400"),
        (ada.rows("measured").locator(".message__name").first, "15px", "600"),
        (ada.page.locator(".message__time").first, "12px", "400"),
        (ada.page.locator(".rooms__heading").first, "12px", "600"),
        (ada.page.locator("#room-title"), "17px", "600"),
    ):
        expect(locator).to_have_css("font-size", size)
        expect(locator).to_have_css("font-weight", weight)
    weights = ada.page.evaluate(
        "() => [...new Set([...document.querySelectorAll('body *')].map(each => getComputedStyle(each).fontWeight))]"
    )
    assert set(weights) <= {"400", "600"}
    assert ada.page.locator("a.rooms__item").first.bounding_box()["height"] == 32  # type: ignore[index]
    assert ada.page.locator("#sidebar").bounding_box()["width"] == 280  # type: ignore[index]
    ada.page.set_viewport_size({"width": 899, "height": 700})
    expect(ada.page.locator("#sidebar")).not_to_be_in_viewport()


def test_16_a_page_that_slept_is_live_within_two_seconds(person: People) -> None:
    ada = person()
    ada.page.clock.install()
    ada.sign_in("Ada")
    with ada.page.expect_request(re.compile("/events/(stream|poll)"), timeout=2_000):
        ada.page.clock.fast_forward(600_000)
        ada.page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    ada.is_live()
