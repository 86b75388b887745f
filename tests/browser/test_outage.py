"""The server goes away and comes back."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Route
from playwright.sync_api import expect

from tests.support.service import Service
from tests.support.tcp_proxy import TcpProxy

from .conftest import Person

People = Callable[..., Person]


def bodies(someone: Person, prefix: str) -> list[str]:
    texts: list[str] = someone.page.locator("#log .message__body").all_text_contents()
    return [text for text in texts if text.startswith(prefix)]


@pytest.mark.parametrize(("query", "live"), [("", "Live"), ("?transport=poll", "Live (polling)")])
def test_11_to_13_written_offline_arrives_once_and_in_order(
    person: People, proxy: TcpProxy, query: str, live: str
) -> None:
    ada, bob = person("Ada", "/" + query, live), person("Bob", "/" + query, live)
    prefix = f"offline{query}"
    proxy.cut()
    for letter in "ABC":
        ada.say(f"{prefix} {letter}")
    ada.shows(f"{prefix} C", "Sending")
    expect(ada.page.locator("#status-text")).to_have_text("Reconnecting…")
    expect(ada.page.locator("#queue")).to_have_text("3 waiting to be sent")
    expect(ada.page.locator("#banner-text")).to_contain_text("Messages will be sent when you reconnect")
    expect(ada.page.locator("#banner-count")).to_contain_text("Retrying")
    expect(ada.page.get_by_role("button", name="Try now")).to_be_visible()
    proxy.restore()
    # By script: if the page has come back by itself meanwhile, the button is hidden and does no harm.
    # Bob, too: by himself he waits the longer, the longer the outage was.
    for someone in (ada, bob):
        someone.page.evaluate("document.getElementById('banner-try').click()")
    for letter in "ABC":
        bob.shows(f"{prefix} {letter}")
        ada.shows(f"{prefix} {letter}", "Delivered")
    expect(ada.page.locator("#banner")).to_be_hidden()
    expected = [f"{prefix} {letter}" for letter in "ABC"]
    assert bodies(ada, prefix) == bodies(bob, prefix) == expected


def test_15_messages_of_others_during_the_outage_arrive(person: People, proxy: TcpProxy, service_url: str) -> None:
    ada, bob = person("Ada"), person()
    bob.url = service_url  # not through the proxy
    bob.sign_in("Bob")
    proxy.cut()
    bob.say("said while Ada was away")
    bob.shows("said while Ada was away", "Sent")
    # A banner is for what lasts.
    expect(ada.page.locator("#banner-text")).to_have_text(re.compile("Connection lost|offline"))
    proxy.restore()
    ada.page.evaluate("() => window.dispatchEvent(new Event('online'))")
    expect(ada.page.locator("#banner-text")).to_have_text("Back online")
    ada.shows("said while Ada was away")
    expect(ada.page.locator("#banner")).to_be_hidden()
    bob.shows("said while Ada was away", "Delivered")


def test_pending_message_survives_a_reload(person: People) -> None:
    ada, bob = person("Ada"), person("Bob")
    ada.page.route("**/messages", lambda route: route.abort())
    ada.say("kept over the reload")
    ada.shows("kept over the reload", "Sending")
    ada.page.unroute("**/messages")
    ada.page.reload()
    ada.shows("kept over the reload", "Delivered")
    bob.shows("kept over the reload", count=1)


def test_failed_message_survives_a_reload(person: People) -> None:
    ada = person("Ada")
    ada.page.route("**/messages", lambda route: route.fulfill(status=403, json={"code": "forbidden"}))
    ada.say("still refused")
    ada.shows("still refused", "Not sent")
    ada.page.unroute("**/messages")
    ada.page.reload()
    ada.shows("still refused", "Not sent")
    ada.rows("still refused").get_by_role("button", name="Retry").click()
    ada.shows("still refused", "Sent")


def test_17_streams_held_back_lead_to_polling(person: People, proxy: TcpProxy) -> None:
    proxy.mute_streams()
    ada = person("Ada", live="Live (polling)")
    ada.say("by poll")
    ada.shows("by poll", "Sent")


def test_35_rate_limit_waits_and_goes_on_by_itself(person: People) -> None:
    ada = person("Ada")
    tries: list[int] = []

    def refuse_first(route: Route) -> None:
        tries.append(1)
        if len(tries) > 1:
            return route.continue_()
        return route.fulfill(status=429, headers={"Retry-After": "2"}, json={"code": "rate_limited"})

    ada.page.route("**/messages", refuse_first)
    ada.say("too fast")
    expect(ada.page.locator("#queue")).to_contain_text("You’re sending too fast – resuming in")
    ada.shows("too fast", "Sent")
    assert len(tries) == 2


@pytest.mark.parametrize(("query", "live"), [("", "Live"), ("?transport=poll", "Live (polling)")])
def test_server_is_stopped_and_started_again(
    person: People, start_service: Callable[..., Service], query: str, live: str
) -> None:
    service = start_service("sqlite")
    ada, bob = person(), person()
    ada.url = bob.url = service.url
    ada.sign_in("Ada", f"/{query}", live)
    bob.sign_in("Bob", f"/{query}", live)
    ada.say("before the stop")
    bob.shows("before the stop")
    service.stop()
    ada.say("while it was stopped")
    ada.shows("while it was stopped", "Sending")
    service.start_again()
    bob.page.evaluate("window.dispatchEvent(new Event('online'))")  # else he may wait for 16 s
    bob.shows("while it was stopped")
    ada.shows("while it was stopped", "Delivered")
    assert bodies(bob, "") == bodies(ada, "") == ["before the stop", "while it was stopped"]
