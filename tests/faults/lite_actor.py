"""`LiteActor`: a person whose browser runs no scripts, at the pages made of forms."""

import time
from collections import Counter
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from playwright.sync_api import BrowserContext
from playwright.sync_api import Error
from playwright.sync_api import Page

from tests.faults.browser_actor import PATIENCE_S
from tests.faults.browser_thread import BrowserThread
from tests.faults.history import History
from tests.faults.history import Record
from tests.faults.history import digest
from tests.support.followers import place

PAGES_MAX = 100
AGAIN_AFTER_MS = 200
# The page confirms what it shows, and what that will be is not known when it is asked for.
AHEAD_MS = 1_000
BODIES = "bodies => bodies.map(body => body.textContent)"


class LiteActor:
    """Sends the same form until an answer says that it was taken: by Send, where the form is there again, else by
    loading the page again, at which the browser sends it anew.

    No page shows itself which message it is: the texts of a run differ, so the text says it. There is no live view,
    only what `final_view` reads.
    """

    def __init__(self, history: History, name: str, url: str, user_name: str, room: str) -> None:
        self.history = history
        self.name = name
        self.url = url
        self.room = room
        self.user_name = user_name
        self.user = ""
        self.asked: dict[str, str] = {}  # localId → text
        self.sent: dict[str, str] = {}  # localId → id
        self.complaints: list[str] = []  # without scripts there is nobody to complain
        self.address = f"{url}/lite/{quote(room)}"
        self.browser = BrowserThread(history.path.parent / f"profile-{name}", self._prepare, scripts=False)

    def open(self) -> None:
        self.browser.call(self._enter)

    def send(self, text: str) -> str:
        """Returns when it was taken."""
        return self.browser.call(lambda page: self._send(page, text), 2 * PATIENCE_S)

    def wait_sent(self, local_ids: Iterable[str], seconds: float = PATIENCE_S) -> None:
        """`send` has waited for each."""
        missing = set(local_ids) - self.sent.keys()
        if missing:
            raise TimeoutError(f"{self.name} has not sent {missing} within {seconds} s")

    def wait_shown(self, ids: Iterable[str], seconds: float = PATIENCE_S) -> None:
        """Nothing is: a page is a picture of the moment when it was asked for."""

    def since_opened(self, row: Record) -> bool:
        return True

    def final_view(self, rows: Iterable[Record]) -> list[str]:
        """Read the room page by page, and record it as `<name>-final`. Returns the ids in order."""
        known: dict[str, list[Record]] = defaultdict(list)
        for row in sorted(rows, key=lambda one: place(one["seq"] or "0-0")):
            if row["room"] == self.room:
                known[row["hash"]].append(row)
        final = f"{self.name}-final"
        self.history.record(final, "actor", "ok", user=self.user, continuous=True, live=False, rooms=[self.room])
        self.history.record(final, "connect", "ok", conn=0, cursor="0-0")
        seen = self._identify(self.browser.call(self._read_all), known)
        for one in seen:
            self.history.record(final, "shown", "ok", **one)
        return [one["id"] for one in seen]

    def close(self) -> None:
        self.browser.close()

    def _identify(self, bodies: list[str], known: dict[str, list[Record]]) -> list[dict[str, Any]]:
        """A text that is shown more often than it is stored is the last message again; an unknown one is nobody's."""
        seen: list[dict[str, Any]] = []
        count: Counter[str] = Counter()
        for body in bodies:
            hash_ = digest(body)
            of = known[hash_]
            nobody = {"id": f"text {hash_}", "localId": None, "user": None, "seq": None}
            row = of[min(count[hash_], len(of) - 1)] if of else nobody
            count[hash_] += 1
            what = {name: row[name] for name in ("id", "localId", "user", "seq")}
            seen.append({**what, "room": self.room, "hash": hash_})
        return seen

    # What follows runs in the browser's thread.

    def _prepare(self, context: BrowserContext) -> None:
        page = context.pages[0]
        # What was asked for may be confirmed from then on until its answer is here, or is lost.
        for moment in ("request", "response", "requestfailed"):
            page.on(moment, self._confirm)

    def _confirm(self, what: Any) -> None:
        if self.user and what.url.startswith(self.address):
            cursor = f"{time.time_ns() // 1_000_000 + AHEAD_MS}-0"
            self.history.record(self.name, "ack", "info", cursor=cursor, rooms=[self.room])

    def _enter(self, page: Page) -> None:
        page.goto(self.address)
        page.get_by_label("Name").fill(self.user_name)
        page.get_by_role("button", name="Join chat").click()
        join = page.get_by_role("button", name="Join", exact=True)
        join.wait_for()
        self.user = self._ask(page, "/session")["user"]["id"]
        self.history.record(self.name, "actor", "ok", user=self.user, continuous=False, rooms=[self.room])
        about = {"user": self.user, "room": self.room, "change": "joined"}
        self.history.record(self.name, "member", "invoke", **about)
        join.click()
        page.locator("#message").wait_for()
        self.history.record(self.name, "member", "ok", **about)

    def _send(self, page: Page, text: str) -> str:
        local_id = page.locator("[name=localId]").input_value()
        self.asked[local_id] = text
        about = {"user": self.user, "localId": local_id}
        deadline_s = time.monotonic() + PATIENCE_S
        page.locator("#message").fill(text)
        while True:
            self.history.record(self.name, "send", "invoke", **about, room=self.room, hash=digest(text))
            self._submit(page, local_id)
            if self._form(page) not in ("", local_id):
                break
            self.history.record(self.name, "send", "info", **about, reason=page.url)
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{self.name} could not send {text!r}: {page.url}")
            page.wait_for_timeout(AGAIN_AFTER_MS)
        # The form of the next message: this one was taken.
        message = self._ask(page, f"/messages/status?localId={local_id}")["results"][0].get("message", {"id": None})
        self.history.record(self.name, "send", "ok", **about, room=self.room, id=message["id"])
        self.sent[local_id] = message["id"]
        return local_id

    def _submit(self, page: Page, local_id: str) -> None:
        """By the form if it is there, else by loading again what was not answered."""
        with suppress(Error):
            if self._form(page) == local_id:
                with page.expect_navigation(wait_until="domcontentloaded"):
                    page.get_by_role("button", name="Send").click(no_wait_after=True)
            else:
                page.reload(wait_until="domcontentloaded")

    def _form(self, page: Page) -> str:
        """Which message the form before us would be; "" without a form."""
        with suppress(Error):
            form = page.locator("[name=localId]")
            return form.input_value() if form.count() else ""
        return ""

    def _read_all(self, page: Page) -> list[str]:
        page.goto(f"{self.address}/plain")
        seen: list[str] = []
        for _ in range(PAGES_MAX):
            seen = page.locator(".message .body").evaluate_all(BODIES) + seen
            older = page.locator("a[rel=prev]")
            if not older.count():
                return seen
            page.goto(f"{self.url}{older.first.get_attribute('href')}")
        raise TimeoutError(f"the beginning of the room did not come within {PAGES_MAX} pages")

    def _ask(self, page: Page, path: str) -> dict[str, Any]:
        """The API, with the browser's cookie, until it answers."""
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            with suppress(Error):
                answer = page.context.request.get(f"{self.url}/api/v1{path}")
                if answer.ok:
                    document: dict[str, Any] = answer.json()
                    return document
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{path} was not answered within {PATIENCE_S} s")
            page.wait_for_timeout(AGAIN_AFTER_MS)
