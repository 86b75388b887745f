"""The page in a real Chromium under network faults, judged by the checker."""

import contextlib
import itertools
import sqlite3
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page
from playwright.sync_api import Route

from tests.faults.at_the_pages import PageActor
from tests.faults.browser_actor import BrowserActor
from tests.faults.checker import check
from tests.faults.history import History
from tests.faults.history import digest
from tests.faults.legacy_actor import LegacyActor
from tests.faults.lite_actor import LiteActor
from tests.faults.report import Report
from tests.faults.second_tab import SecondTab
from tests.faults.storage_dump import rows
from tests.support.person import Person
from tests.support.person import new_local_id
from tests.support.processes import wait_until
from tests.support.service import Service
from tests.support.tcp_proxy import TcpProxy

A = TypeVar("A", BrowserActor, LiteActor)

# Chromium writes cookies 30 s after the first change.
COOKIE_WITHIN_S = 60.0
# The page's longest wait between two tries is 30 s.
BACK_WITHIN_S = 60.0


class Stage:
    """A service, a proxy, a room, someone in it who uses the API directly, and browsers behind the proxy."""

    def __init__(self, site: Service, folder: Path) -> None:
        address = urlsplit(site.url)
        self.proxy = TcpProxy(address.hostname or "", address.port or 0)
        self.history = History(folder / "history.jsonl")
        self.bob = Person(site.url, "Bob")
        self.room = self.bob.create_room()
        self._database = f"sqlite:///{site.settings['CHATAPP_DATA']}/chat.db"
        self._browsers: list[PageActor] = []
        self._numbers = itertools.count(1)
        self.history.record("bob", "actor", "ok", user=self.bob.id, continuous=False, rooms=[self.room])

    def browser(self, name: str = "ada", kind: type[BrowserActor] = BrowserActor) -> BrowserActor:
        return self.closing(kind(self.history, name, self.proxy.url, name.title(), self.room))

    def closing(self, actor: A) -> A:
        self._browsers.append(actor)
        return actor

    def bob_says(self, count: int) -> list[str]:
        """Returns the ids."""
        return [self._bob_says(f"Bob's number {next(self._numbers)}") for _ in range(count)]

    def _bob_says(self, body: str) -> str:
        key = {"user": self.bob.id, "room": self.room, "localId": new_local_id()}
        self.history.record("bob", "send", "invoke", **key, hash=digest(body))
        message = self.bob.send(self.room, body, key["localId"])
        self.history.record("bob", "send", "ok", **key, id=message["id"], seq=message["cursor"], status=201)
        return str(message["id"])

    def stored(self) -> list[dict]:
        return [row for row in rows(self._database) if row["room"] == self.room]

    def judge(self, actor: PageActor) -> Report:
        """The final picture, then the checker's word on everything."""
        found = self.stored()
        actor.final_view(found)
        for row in found:
            self.history.record("lab", "row", "ok", **row)
        report = check(self.history.records)
        assert not report.violations, str(report)
        assert not actor.complaints
        return report

    def end(self) -> None:
        for actor in self._browsers:
            actor.close()
        self.bob.http.close()
        self.history.close()


@pytest.fixture(scope="module")
def site(start_service: Callable[..., Service]) -> Service:
    return start_service("sqlite")


@pytest.fixture
def stage(site: Service, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(site, tmp_path)
    with stage.proxy:
        yield stage
        stage.end()


def test_cut_twice_while_both_write(stage: Stage) -> None:
    ada = stage.browser()
    ada.open()
    said = stage.bob_says(10)
    mine = [ada.send("Ada, at the beginning")]
    stage.proxy.cut()
    said += stage.bob_says(10)
    mine.append(ada.send("Ada, while it was cut"))
    stage.proxy.restore()
    ada.wait_shown(said)
    said += stage.bob_says(5)
    stage.proxy.cut_now()
    said += stage.bob_says(5)
    mine.append(ada.send("Ada, after the second cut"))
    ada.wait_shown(said)
    ada.wait_sent(mine)
    report = stage.judge(ada)
    # 33 in the live view, 33 in the final one.
    assert (report.sent, report.acknowledged, report.shown) == (33, 33, 66)


@pytest.mark.long
def test_what_was_written_offline_is_sent_once_and_in_order(stage: Stage) -> None:
    ada = stage.browser()
    ada.open()
    stage.proxy.cut()
    mine = [ada.send(f"Ada, offline {number}") for number in range(20)]
    said = stage.bob_says(20)
    stage.proxy.restore()
    ada.wait_sent(mine, BACK_WITHIN_S)
    ada.wait_shown(said, BACK_WITHIN_S)
    assert stage.judge(ada).acknowledged == 40
    assert [row["localId"] for row in stage.stored() if row["user"] == ada.user] == mine
    assert ada.waiting() == []


@pytest.mark.long
def test_lost_answers_without_events_end_in_one_message_each(stage: Stage) -> None:
    ada = stage.browser()
    ada.open()
    stage.proxy.swallow_replies()
    stage.proxy.answer_streams(502)
    stage.proxy.cut_now()
    mine = [ada.send(f"Ada, unanswered {number}") for number in range(5)]
    wait_until(lambda: stage.stored(), what="the first of them is stored")
    stage.proxy.heal()
    ada.wait_sent(mine, BACK_WITHIN_S)
    assert stage.judge(ada).acknowledged == 5


@pytest.mark.long
def test_what_waits_survives_a_crash(stage: Stage) -> None:
    ada = stage.browser()
    ada.open()
    wait_until(lambda: _has_cookie(ada.profile), COOKIE_WITHIN_S, "the cookie is on disk")
    # The first one reaches the server and ada never hears of it; the others wait behind it.
    stage.proxy.swallow_replies()
    stage.proxy.answer_streams(502)
    stage.proxy.cut_now()
    mine = [ada.send(f"Ada, before the crash {number}") for number in range(5)]
    wait_until(lambda: stage.stored(), what="the first of them is stored")
    wait_until(lambda: ada.waiting() == mine, what="all of them are on disk")
    ada.crash()
    said = stage.bob_says(5)
    stage.proxy.heal()
    back = stage.closing(ada.again())
    back.open()
    assert back.user == ada.user
    back.wait_sent(mine, BACK_WITHIN_S)
    back.wait_shown(said, BACK_WITHIN_S)
    assert stage.judge(back).acknowledged == 10
    assert [row["localId"] for row in stage.stored() if row["user"] == ada.user] == mine
    assert back.waiting() == []


@pytest.mark.long
@pytest.mark.parametrize(
    ("status", "body"), [(502, b""), (503, b""), (200, b"<h1>Sign in to the Wi-Fi</h1>"), (204, b"")]
)
def test_page_comes_back_from_a_broken_gateway(stage: Stage, status: int, body: bytes) -> None:
    ada = stage.browser()
    ada.open()
    stage.proxy.answer_streams(status, body)
    stage.proxy.cut_now()
    # Twice by stream, then by poll: long enough to have changed over, about 10 s.
    wait_until(lambda: stage.proxy.stream_answers >= 5, BACK_WITHIN_S, "the page tries")
    said = stage.bob_says(5)
    mine = [ada.send(f"Ada, while the gateway says {status}")]
    stage.proxy.heal()
    said += stage.bob_says(5)
    ada.wait_shown(said, BACK_WITHIN_S)
    ada.wait_sent(mine, BACK_WITHIN_S)
    ada.wait_live()
    assert stage.judge(ada).acknowledged == 11


@pytest.mark.long
def test_silence_is_noticed_and_what_was_held_up_is_there_once(stage: Stage) -> None:
    ada = stage.browser()
    ada.open()
    stage.proxy.silence()
    mine = [ada.send(f"Ada, into the silence {number}") for number in range(2)]
    said = stage.bob_says(5)
    lost = "#status[data-phase=lost]"
    ada.browser.call(lambda page: page.locator(lost).wait_for(timeout=BACK_WITHIN_S * 1000), BACK_WITHIN_S + 5)
    stage.proxy.heal()
    ada.wait_shown(said, BACK_WITHIN_S)
    ada.wait_sent(mine, BACK_WITHIN_S)
    assert stage.judge(ada).acknowledged == 7


@pytest.mark.long
def test_a_long_room_is_read_from_one_end_to_the_other(stage: Stage) -> None:
    stage.bob_says(120)
    ada = stage.browser()
    ada.open()
    stage.proxy.cut()
    said = stage.bob_says(250)
    stage.proxy.restore()
    ada.wait_shown(said[-1:], BACK_WITHIN_S)
    stage.judge(ada)
    assert len(ada.shown) == 370


@pytest.mark.long
@pytest.mark.parametrize("kind", ["page", "legacy", "tabs"])
def test_what_is_wrong_on_the_page_is_found(stage: Stage, kind: str) -> None:
    ada = stage.browser("ada", LegacyActor if kind == "legacy" else BrowserActor)
    ada.open()
    if kind == "tabs":
        ada = SecondTab(ada)
        ada.open()
    said = stage.bob_says(10)
    ada.wait_shown(said)
    ada.call(lambda page: page.evaluate(SPOIL))
    with pytest.raises(AssertionError) as found:
        stage.judge(ada)
    text = str(found.value)
    assert f"{ada.name} showed {said[0]}" in text, "cloned"
    assert f"{ada.name}-final showed {said[0]}" in text
    assert f"{ada.name}-final never showed {said[4]}" in text, "removed"
    assert f"{ada.name}-final showed {said[7]}" in text, "moved"
    assert "I4: 2" in text
    assert "I6: 1" in text
    assert "I1: 1" in text


@pytest.mark.long
def test_what_is_wrong_on_the_page_without_scripts_is_found(stage: Stage) -> None:
    ada = stage.closing(LiteActor(stage.history, "ada", stage.proxy.url, "Ada", stage.room))
    ada.open()
    said = stage.bob_says(10)
    ada.wait_sent([ada.send("Ada's own")])
    ada.browser.call(lambda page: page.route("**/plain", _spoil))
    with pytest.raises(AssertionError) as found:
        stage.judge(ada)
    text = str(found.value)
    assert f"ada-final showed {said[1]}" in text, "twice"
    assert f"ada-final never showed {said[0]}" in text
    assert "I4: 1" in text
    assert "I1: 1" in text


@pytest.mark.long
def test_the_next_user_of_a_profile_does_not_send_what_waits(stage: Stage) -> None:
    ada = stage.browser()
    ada.open()
    stage.proxy.cut()
    mine = [ada.send(f"Ada's own {number}") for number in range(3)]
    ada.browser.call(lambda page: page.context.clear_cookies())
    stage.proxy.restore()
    ada.browser.call(lambda page: _enter(page, "Eve"), BACK_WITHIN_S)
    ada.browser.call(_join)
    said = stage.bob_says(1)
    ada.wait_shown(said)
    _nothing_of(stage, ada, mine)


@pytest.mark.long
def test_another_tab_signs_in_as_someone_else(stage: Stage) -> None:
    ada = stage.browser()
    ada.open()
    # Of every tab: another one of the same user may send what waits.
    ada.browser.call(lambda page: page.context.route("**/messages", lambda route: route.abort()))
    mine = [ada.send(f"Ada's own {number}") for number in range(3)]
    ada.browser.call(lambda page: _sign_out_in_another_tab(page, ada.url), BACK_WITHIN_S)
    ada.browser.call(lambda page: page.get_by_text("Eve").first.wait_for())
    ada.browser.call(lambda page: page.context.unroute("**/messages"))
    ada.browser.call(_join)
    said = stage.bob_says(1)
    ada.wait_shown(said)
    _nothing_of(stage, ada, mine)


@pytest.mark.long
def test_nothing_is_sent_as_someone_else_when_the_cookie_changes_hands(stage: Stage) -> None:
    """As when a host's page signs someone else in: no other tab of this page tells of it."""
    ada = stage.browser()
    ada.open()
    with Person(stage.bob.url, "Eve") as eve:
        eve.join(stage.room)
        cookie = {"name": f"chatapp_session_{urlsplit(ada.url).port}", "value": eve.token, "url": ada.url}
        ada.browser.call(lambda page: page.context.add_cookies([cookie]))
    mine = ada.send("Ada's own words")
    ada.browser.call(lambda page: page.get_by_text("sign in to send 1 pending message").wait_for())
    assert stage.stored() == []
    assert ada.waiting() == [mine]


# The first row twice, the fifth away, the ninth before the eighth.
# Whenever the page draws, it would mend this.
SPOIL = """() => {
  const rows = [...document.querySelectorAll('#log .row')];
  const now = (row) => document.querySelector(`#log .row[data-local-id="${row.dataset.localId}"]`);
  const spoil = () => {
    now(rows[4])?.remove();
    const [earlier, later] = [now(rows[7]), now(rows[8])];
    if (earlier.compareDocumentPosition(later) & Node.DOCUMENT_POSITION_FOLLOWING) earlier.before(later);
  };
  rows[0].after(rows[0].cloneNode(true));
  spoil();
  new MutationObserver(spoil).observe(document.querySelector('#log'), { childList: true, subtree: true });
}"""


def _spoil(route: Route) -> None:
    """Bob's first message away, his second one twice."""
    answer = route.fetch()
    first, second = (f"s number {number}</div>" for number in (1, 2))
    route.fulfill(response=answer, body=answer.text().replace(first, second))


def _has_cookie(profile: Path) -> bool:
    """Whether Chromium has written the session down, as a crash would find it."""
    for path in profile.rglob("Cookies"):
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as jar:
            try:
                if jar.execute("SELECT 1 FROM cookies WHERE name LIKE 'chatapp_session%'").fetchone():
                    return True
            except sqlite3.Error:
                continue  # in the middle of a write
    return False


def _enter(page: Page, name: str) -> None:
    page.get_by_label("Name").fill(name, timeout=BACK_WITHIN_S * 1000)
    page.get_by_role("button", name="Join chat").click()
    page.locator("#chat").wait_for()


def _join(page: Page) -> None:
    """And leave it open what becomes of what the user before has written."""
    page.locator("#left-dialog[open]").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Join", exact=True).click()
    page.locator("#composer").wait_for()


def _sign_out_in_another_tab(page: Page, url: str) -> None:
    other = page.context.new_page()
    other.goto(url)
    other.get_by_role("button", name="Your settings").click()
    other.get_by_role("menu").get_by_text("Sign out", exact=True).click()
    other.get_by_role("dialog").get_by_role("button", name="Sign out").click()
    _enter(other, "Eve")


def _nothing_of(stage: Stage, actor: BrowserActor, local_ids: list[str]) -> None:
    """What an earlier user wrote is still theirs: not sent, not shown, not thrown away."""
    assert not [row for row in stage.stored() if row["user"] != stage.bob.id]
    assert actor.browser.call(lambda page: page.locator("#log").get_by_text("Ada's own").count()) == 0
    assert actor.waiting() == local_ids
