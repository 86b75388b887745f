"""`BrowserActor`: a person at the page in a real Chromium, and what the page showed them, in a history."""

import re
import secrets
import time
from collections.abc import Callable
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from typing import TypeVar
from urllib.parse import quote

from playwright.sync_api import BrowserContext
from playwright.sync_api import Page

from tests.faults.browser_thread import START_WITHIN_S
from tests.faults.browser_thread import BrowserThread
from tests.faults.history import History
from tests.faults.history import Record
from tests.faults.history import digest
from tests.support.followers import place
from tests.support.processes import wait_until

T = TypeVar("T")

WATCH = Path(__file__).parent / "browser_watch.js"
OUTBOX = Path(__file__).parent / "browser_outbox.js"
# A step reads up to 50 rows: far more than the longest run.
STEPS_MAX = 2_000
PATIENCE_S = 30.0
LOOK_MS = 10


class BrowserActor:
    """Signs in as a guest, joins the room, opens it; from then on everything is recorded.

    The row is believed about what stands in it: id, localId, body. Sender and place in the log are those that the
    page itself was given for that id. The live view has a `seq` only for what others wrote after the page's feed
    began: that must appear in the order of the log. One's own messages are shown before the log has them, and older
    ones come a page at a time; their places are judged by `final_view`.
    """

    query = ""  # which of the pages

    def __init__(
        self, history: History, name: str, url: str, user_name: str, room: str, profile: Path | None = None
    ) -> None:
        self.history = history
        self.name = name
        self.url = url
        self.user_name = user_name
        self.room = room
        self.profile = profile or history.path.parent / f"profile-{name}-{secrets.token_hex(4)}"
        self.user = ""
        self.cursor = ""  # where this page's feed began
        self.shown: dict[str, str] = {}  # id → localId
        self.sent: dict[str, str] = {}  # localId → id, of what the page shows as sent
        self.asked: dict[str, str] = {}  # localId → text, of what this person ever wrote
        self.complaints: list[str] = []
        self._first_cursor = ""
        self._typed: set[str] = set()
        self._recording = False
        self._reading_back = False
        self._page: Page | None = None
        self._tabs: list[BrowserActor] = []  # all of this browser, this one first
        self.browser = self._start()

    def sign_in(self) -> str:
        """Through the page, unless the profile is still signed in. Returns the user's id."""
        self.call(self._sign_in)
        return self.user

    def open(self) -> None:
        """Join through the page if need be; then open the room anew, which begins the view that is recorded."""
        if not self.user:
            self.sign_in()
        self.call(self._join)
        self.call(self._begin)

    def call(self, work: Callable[[Page], T], seconds: float = START_WITHIN_S) -> T:
        """Have something done with the page."""
        return self.browser.call(work, seconds)

    def send(self, text: str) -> str:
        """Type it and press Enter. Returns the localId that the page chose, whether or not it can be sent now."""
        return self.call(lambda page: self._send(page, text))

    def wait_live(self, seconds: float = PATIENCE_S) -> None:
        live = re.compile("^Live")
        self.call(
            lambda page: page.locator("#status-text", has_text=live).wait_for(timeout=seconds * 1000), seconds + 5
        )

    def wait_shown(self, ids: Iterable[str], seconds: float = PATIENCE_S) -> None:
        """Until every one of these has been on the screen."""
        wanted = set(ids)
        self.call(lambda page: page.bring_to_front())  # behind another tab it is drawn now and then
        try:
            wait_until(lambda: wanted <= self.shown.keys(), seconds, f"{self.name} shows {len(wanted)} messages")
        except TimeoutError as error:
            missing = len(wanted - self.shown.keys())
            raise TimeoutError(f"{error}: {missing} are missing; {self.call(_state)}") from None

    def wait_sent(self, local_ids: Iterable[str], seconds: float = PATIENCE_S) -> None:
        """Until the page shows every one of these as sent."""
        wanted = set(local_ids)
        wait_until(lambda: wanted <= self.sent.keys(), seconds, f"{self.name} sends {len(wanted)} messages")

    def waiting(self) -> list[str]:
        """The localIds on disk that are to be sent, in order, whoever wrote them."""
        found: list[str] = self.call(lambda page: page.evaluate(OUTBOX.read_text()))
        return found

    def since_opened(self, row: Record) -> bool:
        """Whether this came after the page was opened; one without a place did."""
        return row["seq"] is None or place(row["seq"]) > place(self._first_cursor)

    def final_view(self, rows: Iterable[Record]) -> list[str]:
        """Read the room from its beginning to its end, and record it as `<name>-final`. Returns the ids in order.

        `rows` are the database's, for the places in the log. What is not sent yet is not part of it.
        """
        known = {row["id"]: row for row in rows}
        seen = [row for row in self.call(self._read_all, 4 * PATIENCE_S) if row["id"] is not None]
        final = f"{self.name}-final"
        self._declare(final, self._first_cursor, live=False)
        for row in seen:
            row["seq"] = known[row["id"]]["seq"] if row["id"] in known else None
            self._record_shown(final, row)
        return [row["id"] for row in seen]

    def close(self) -> None:
        """Only when all is over: what is stored from now on is still owed."""
        self.browser.close()

    def crash(self) -> None:
        """kill -9 of the browser. This view owes nothing any more; that of `again` owes what this one did."""
        self.browser.crash()
        self._recording = False
        self.history.record(self.name, "actor", "ok", user=self.user, continuous=False, rooms=[self.room])

    def again(self, suffix: str = "again") -> "BrowserActor":
        """A new browser on the same profile, as another actor. To be opened like the first one."""
        other = BrowserActor(
            self.history, f"{self.name}-{suffix}", self.url, self.user_name, self.room, profile=self.profile
        )
        other._first_cursor = self._first_cursor
        other.asked = self.asked
        other.sent = self.sent
        return other

    @property
    def address(self) -> str:
        return f"{self.url}/rooms/{quote(self.room)}{self.query}"

    def _start(self) -> BrowserThread:
        return BrowserThread(self.profile, self._prepare)

    def _prepare(self, context: BrowserContext) -> None:
        context.expose_binding("labTell", self._hear)  # first: the script calls it
        context.add_init_script(path=WATCH)
        self._take(context.pages[0])

    def _take(self, page: Page) -> None:
        self._tabs.append(self)
        self._page = page
        self._page.on("pageerror", lambda error: self.complaints.append(str(error)))

    # What follows runs in the browser's thread.

    def _sign_in(self, page: Page) -> None:
        page.goto(self.address)
        page.locator("#sign-in:visible, #chat:visible").first.wait_for()
        if page.locator("#sign-in").is_visible():
            page.get_by_label("Name").fill(self.user_name)
            page.get_by_role("button", name="Join chat").click()
            page.locator("#chat").wait_for()
        self._pump(page, lambda: bool(self.user), "the page knows who it is")

    def _join(self, page: Page) -> None:
        page.goto(self.address)
        page.locator("#composer:visible, #join-bar:visible").first.wait_for()
        if page.locator("#composer").is_visible():
            return
        about = {"user": self.user, "room": self.room, "change": "joined"}
        self.history.record(self.name, "member", "invoke", **about)
        page.get_by_role("button", name="Join", exact=True).click()
        page.locator("#composer").wait_for()
        self.history.record(self.name, "member", "ok", **about)

    def _begin(self, page: Page) -> None:
        self._recording = True
        page.reload()
        page.locator("#composer").wait_for()
        self._pump(page, lambda: bool(self.cursor), "the page has a cursor")

    def _send(self, page: Page, text: str) -> str:
        self._typed.add(text)
        box = page.locator("#composer-input")
        box.fill(text)
        box.press("Enter")
        self._pump(page, lambda: text not in self._typed, f"the page shows {text!r} as it was typed")
        return next(local_id for local_id, typed in reversed(self.asked.items()) if typed == text)

    def _read_all(self, page: Page) -> list[dict[str, Any]]:
        self._reading_back = True
        _repeat(lambda: page.evaluate("labReader.up()"), "the beginning of the room")
        seen: list[dict[str, Any]] = []

        def read() -> bool:
            rows = page.evaluate("labReader.read()")
            # A step moves the window by less than its length: find where this one goes on.
            keys = [(row["id"], row["localId"]) for row in rows]
            had = [(row["id"], row["localId"]) for row in seen]
            overlap = next((n for n in range(min(len(keys), len(had)), 0, -1) if had[-n:] == keys[:n]), 0)
            seen.extend(rows[overlap:])
            return bool(page.evaluate("labReader.down()"))

        _repeat(read, "the end of the room")
        read()
        self._reading_back = False
        return seen

    def _pump(self, page: Page, condition: Callable[[], bool], what: str) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{what} did not come true within {PATIENCE_S} s")
            page.wait_for_timeout(LOOK_MS)

    def _hear(self, source: dict[str, Any], news: list[dict[str, Any]]) -> None:
        for tab in self._tabs:
            if source["page"] is tab._page:
                tab._hear_all(news)

    def _hear_all(self, news: list[dict[str, Any]]) -> None:
        for one in news:
            if one["what"] == "user":
                self._be(one["user"])
            elif self._recording:
                getattr(self, f"_hear_{one['what']}")(one)

    def _be(self, user: str) -> None:
        if self.user and user != self.user:
            self.complaints.append(f"{self.name} was {self.user} and is {user} now")
        elif not self.user:
            self.user = user
            # Every guest is a member of it, so their acks speak of that room too.
            for type_ in ("invoke", "ok"):
                self.history.record(self.name, "member", type_, user=user, room="general", change="joined")

    def _hear_loaded(self, _: dict[str, Any]) -> None:
        if self.cursor:
            self.complaints.append(f"{self.name} was loaded again, which makes it another view")

    def _hear_began(self, one: dict[str, Any]) -> None:
        if self.cursor:
            return
        self.cursor = one["cursor"]
        self._first_cursor = self._first_cursor or self.cursor
        self._declare(self.name, self.cursor)

    def _hear_confirms(self, one: dict[str, Any]) -> None:
        # Info: told after the request went out, so the server may have acted on it a little earlier.
        rooms = {"rooms": [one["room"]]} if one.get("room") else {}
        self.history.record(self.name, "ack", "info", cursor=one["cursor"], **rooms)

    def _hear_unsent(self, one: dict[str, Any]) -> None:
        self._note_own(one)
        if one["status"] == "failed" and one["localId"] in self.asked:
            self.history.record(self.name, "send", "fail", user=self.user, localId=one["localId"])

    def _hear_shown(self, one: dict[str, Any]) -> None:
        self._note_own(one)
        local_id, id_ = one["localId"], one["id"]
        if local_id in self.asked and local_id not in self.sent:
            told = {"room": one["room"], "localId": local_id, "id": id_, "seq": one["seq"]}
            self.history.record(self.name, "send", "ok", user=self.user, **told)
            self.sent[local_id] = id_
        own = one["user"] == self.user
        old = one["seq"] is not None and place(one["seq"]) <= place(self.cursor)
        if own or old or self._reading_back:
            one["seq"] = None
        self._record_shown(self.name, one)
        self.shown[id_] = local_id

    def _hear_twice(self, one: dict[str, Any]) -> None:
        """Two rows of one message at the same moment: as if it were shown again."""
        self._record_shown(self.name, {**one, "seq": None})

    def _note_own(self, one: dict[str, Any]) -> None:
        """The first that is seen of what was just typed."""
        if one["body"] not in self._typed or one["localId"] in self.asked or one["user"] not in (None, self.user):
            return
        self.asked[one["localId"]] = one["body"]
        about = {"room": one["room"], "localId": one["localId"], "hash": digest(one["body"])}
        self.history.record(self.name, "send", "invoke", user=self.user, **about)
        self._typed.discard(one["body"])

    def _declare(self, actor: str, cursor: str, *, live: bool = True) -> None:
        self.history.record(actor, "actor", "ok", user=self.user, continuous=True, live=live, rooms=[self.room])
        self.history.record(actor, "connect", "ok", conn=0, cursor=cursor)

    def _record_shown(self, actor: str, one: dict[str, Any]) -> None:
        what = {name: one[name] for name in ("room", "id", "localId", "user", "seq")}
        self.history.record(actor, "shown", "ok", **what, hash=digest(one["body"]))


def _state(page: Page) -> str:
    """What a person would say of a page that does not show what it should."""
    shows = {name: page.locator(f"#{name}").inner_text() for name in ("status-text", "history-note")}
    shows["to-latest"] = page.locator("#to-latest:visible").all_inner_texts()
    shows["rows"] = page.locator("#log .row").count()
    shows["the last"] = page.locator("#log .row").last.inner_text() if shows["rows"] else None
    return f"the page shows {shows}"


def _repeat(step: Callable[[], bool], what: str) -> None:
    for _ in range(STEPS_MAX):
        if step():
            return
    raise TimeoutError(f"{what} did not come within {STEPS_MAX} steps")
