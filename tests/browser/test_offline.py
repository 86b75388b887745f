"""The page without its server: shell, last messages and outbox. The numbers are those of docs/ux.md."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Error
from playwright.sync_api import Page
from playwright.sync_api import expect

from tests.support.person import Person as Caller
from tests.support.processes import wait_until
from tests.support.service import ROOT
from tests.support.service import Service
from tests.support.tcp_proxy import TcpProxy

from .conftest import Person
from .conftest import sign_out

People = Callable[..., Person]

KEPT = """async () => {
  if (!(await indexedDB.databases()).some(({name}) => name === 'chat-kept ')) return '';
  const database = await new Promise(resolve => {
    const request = indexedDB.open('chat-kept ');
    request.onsuccess = () => resolve(request.result);
  });
  const all = await new Promise(resolve => {
    const request = database.transaction('users').objectStore('users').getAll();
    request.onsuccess = () => resolve(request.result);
  });
  database.close();
  return JSON.stringify(all);
}"""


def shell_is_kept(page: Page) -> None:
    page.evaluate("async () => { await navigator.serviceWorker.ready }")
    controlled = "() => navigator.serviceWorker.controller !== null"
    wait_until(lambda: page.evaluate(controlled), what="a page under the worker")


def test_14_reloaded_offline_the_page_shows_what_it_had_and_goes_on(
    person: People, proxy: TcpProxy, service_url: str
) -> None:
    ada = person("Ada")
    with Caller(service_url, "Bob") as bob:
        den = bob.create_room()
        ada.page.goto(f"{ada.url}/rooms/{den}")
        ada.page.get_by_role("button", name="Join", exact=True).click()
        for number in range(3):
            bob.send(den, f"in the den {number}")
        ada.shows("in the den 2")
        ada.page.locator("a[data-room=general]").click()
        ada.say("before the outage")
        ada.shows("before the outage", "Sent")
        shell_is_kept(ada.page)
        wait_until(lambda: "before the outage" in ada.page.evaluate(KEPT), what="the messages to be kept")
        proxy.cut()
        ada.page.reload()
        ada.shows("before the outage")
        expect(ada.page.locator("#status-text")).to_have_text(re.compile("Connecting|Reconnecting"))
        ada.say("written offline 1")
        ada.say("written offline 2")
        ada.shows("written offline 2", "Sending")
        ada.page.reload()
        ada.shows("written offline 1", "Sending")
        ada.shows("written offline 2", "Sending")
        ada.page.locator(f"a[data-room={den}]").click()
        ada.shows("in the den 2")
        bob.send(den, "while Ada was away")
        proxy.restore()
        ada.page.evaluate("() => window.dispatchEvent(new Event('online'))")
        ada.is_live()
        ada.shows("while Ada was away")
        ada.page.locator("a[data-room=general]").click()
        for number in (1, 2):
            ada.shows(f"written offline {number}", "Sent")
        said = [message["body"] for message in bob.history("general")]
        assert said[-2:] == ["written offline 1", "written offline 2"]
        assert said.count("written offline 1") == 1


def test_54_offline_a_room_that_is_not_kept_says_so_and_opens_later(
    person: People, proxy: TcpProxy, service_url: str
) -> None:
    ada = person("Ada")
    with Caller(service_url, "Bob") as bob:
        other = bob.create_room()
        shell_is_kept(ada.page)
        wait_until(lambda: "general" in ada.page.evaluate(KEPT), what="the rooms to be kept")
        proxy.cut()
        ada.page.goto(f"{ada.url}/rooms/{other}")
        expect(ada.page.locator("#room-title")).to_have_text("This room cannot be shown while you are offline")
        proxy.restore()
        ada.page.evaluate("() => window.dispatchEvent(new Event('online'))")
        expect(ada.page.locator("#room-title")).to_have_text(other)


def test_14_who_signs_out_leaves_nothing_behind(person: People) -> None:
    ada = person("Ada")
    ada.say("for my eyes only")
    ada.shows("for my eyes only", "Sent")
    wait_until(lambda: "for my eyes only" in ada.page.evaluate(KEPT), what="the messages to be kept")
    sign_out(ada.page)
    expect(ada.page.get_by_label("Name")).to_be_visible()
    wait_until(lambda: "for my eyes only" not in ada.page.evaluate(KEPT), what="what was kept to be gone")


def test_14_streams_polls_and_the_api_never_pass_through_the_worker(person: People) -> None:
    ada = person("Ada")
    shell_is_kept(ada.page)
    passed: list[tuple[str, bool]] = []
    ada.page.on("response", lambda answer: passed.append((answer.url, answer.from_service_worker)))
    ada.page.reload()
    ada.is_live()
    ada.say("not through the worker")
    ada.shows("not through the worker", "Sent")
    assert any(from_worker for url, from_worker in passed if url.endswith("page.js"))
    assert [url for url, from_worker in passed if "/api/" in url and from_worker] == []
    assert any("/events/stream" in url for url, _ in passed)


def is_uncontrolled(page: Page) -> bool:
    try:
        return bool(page.evaluate("() => navigator.serviceWorker.controller === null"))
    except Error:
        return False  # it is being loaded


def test_14_whatever_answers_instead_of_the_server_gets_to_be_seen(person: People) -> None:
    ada = person("Ada")
    shell_is_kept(ada.page)
    form = "<!doctype html><title>Sign in to the network</title>"
    ada.page.route("**/api/v1/session", lambda route: route.fulfill(body=form, content_type="text/html"))
    ada.page.reload()
    wait_until(lambda: is_uncontrolled(ada.page), what="the worker to be left")
    ada.page.unroute("**/api/v1/session")
    ada.is_live()


@pytest.fixture
def changing(tmp_path: Path, start_service: Callable[..., Service]) -> Service:
    """A service from a copy of the tree, of which another version can be made."""
    copy = tmp_path / "copy"
    for name in ("chatapp", "static", "templates"):
        shutil.copytree(ROOT / name, copy / name, symlinks=True)
    for name in ("wsgi.py", "gunicorn.conf.py"):
        shutil.copyfile(ROOT / name, copy / name)
    return start_service("sqlite", tree=copy)


def test_14_another_version_asks_before_it_reloads(person: People, changing: Service, tmp_path: Path) -> None:
    ada = person()
    ada.url = changing.url
    ada.sign_in("Ada")
    shell_is_kept(ada.page)
    first = ada.page.locator("link[rel=stylesheet]").get_attribute("href")
    style = tmp_path / "copy" / "static" / "css" / "modes.css"
    style.write_text(style.read_text("utf-8") + "\n/* another version */\n", "utf-8")
    changing.stop()
    changing.start_again()
    ada.box.fill("not lost by it")
    ada.page.evaluate("async () => { (await navigator.serviceWorker.ready).update() }")
    bar = ada.page.get_by_text("A new version of this page is ready.")
    expect(bar).to_be_visible()
    expect(ada.page.locator("link[rel=stylesheet]")).to_have_attribute("href", str(first))
    ada.page.get_by_role("button", name="Reload").click()
    expect(ada.page.locator("link[rel=stylesheet]")).not_to_have_attribute("href", str(first))
    expect(ada.box).to_have_value("not lost by it")
