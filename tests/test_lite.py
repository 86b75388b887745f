"""The pages without scripts: forms, links and cookies, over plain HTTP."""

import socket
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode
from urllib.parse import urlsplit

import httpx
import pytest

from tests.conftest import Start
from tests.support.open_folder import open_folder
from tests.support.person import Person
from tests.support.person import new_local_id
from tests.support.postgres import Postgres
from tests.support.processes import wait_until
from tests.support.service import Service
from tests.support.visitor import Shown
from tests.support.visitor import Visitor

# Acks are gathered for 0.25 s, and one that came before its message's record is looked at again within 3 s.
DELIVERED_S = 5.0
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def mia(service: Service) -> Iterator[Visitor]:
    with Visitor(service.url, "Mia") as visitor:
        yield visitor


@pytest.fixture
def mia_room(mia: Visitor, room: str) -> str:
    """A public room of Ada's, with Bob, that Mia has joined."""
    mia.press_join(room)
    return room


# ---- Signing in and out


def test_signing_in_leads_to_the_rooms(service: Service, room: str) -> None:
    with Visitor(service.url) as new:
        door = new.see("/lite")
        assert (door.status, door.document.headings) == (200, [1])
        assert "robots" not in door.document.metas
        answer = new.submit(door, "Join chat", name="  Grace  ")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/lite")
        assert "HttpOnly" in answer.headers["Set-Cookie"]
        assert "SameSite=Lax" in answer.headers["Set-Cookie"]
        rooms = new.see("/lite")
        assert rooms.document.links["General"] == "/lite/general"
        assert rooms.document.metas["robots"] == "noindex"
        assert rooms.answer.headers["Cache-Control"] == "no-store"
        with new.as_person() as grace:
            assert grace.name == "Grace"


def test_pressing_join_chat_twice_is_one_guest(service: Service) -> None:
    with Visitor(service.url) as new:
        door = new.see("/lite")
        new.submit(door, "Join chat", name="Grace")
        first = new.token
        again = new.submit(door, "Join chat", name="Grace")
        assert (again.status_code, new.token) == (303, first)


def test_a_bad_name_is_kept_with_what_is_wrong(service: Service) -> None:
    with Visitor(service.url) as new:
        for name in ("x" * 41, "\u202eadmin", " "):
            refused = Shown(new.submit(new.see("/lite"), "Join chat", name=name))
            assert refused.status == 400
            assert refused.said.startswith("Name: ")
            assert refused.document.form("Join chat").fields["name"] == name
        assert new.submit(refused, "Join chat", name="Grace").status_code == 303


def test_a_sign_in_needs_the_token_that_this_browser_was_given(service: Service) -> None:
    """No other site can sign a browser in as its own guest, not even where the browser does not say who asks."""
    with Visitor(service.url) as victim, Visitor(service.url) as attacker:
        theirs = attacker.see("/lite").document.form("Join chat").fields
        victim.see("/lite")
        for fields in (theirs, {}, {"csrf": "x"}, {"csrf": "é"}):
            refused = Shown(victim.http.post("/lite", data={**fields, "name": "Mallory"}))
            assert refused.status == 403
            assert "Set-Cookie" in refused.answer.headers
            assert not any("session" in name for name in victim.http.cookies)
        # The form on that page is this browser's own.
        assert victim.submit(refused, "Join chat", name="Grace").status_code == 303
    with Visitor(service.url) as foreign:
        door = foreign.see("/lite")
        for header in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
            form = door.document.form("Join chat").fields
            refused = Shown(foreign.http.post("/lite", data={**form, "name": "Mallory"}, headers=header))
            assert refused.status == 403
        assert not any("session" in name for name in foreign.http.cookies)


def test_signing_out(service: Service, mia: Visitor) -> None:
    token = mia.token
    answer = mia.submit(mia.see("/lite"), "Sign out")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/lite")
    assert mia.see("/lite").document.form("Join chat")
    api = httpx.get(f"{service.url}/api/v1/session", headers={"Authorization": f"Bearer {token}"})
    assert api.status_code == 401


def test_a_room_is_asked_for_before_signing_in(service: Service, room: str) -> None:
    with Visitor(service.url) as new:
        answer = new.http.get(f"/lite/{room}")
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/lite?room={room}")
        door = new.see(answer.headers["Location"])
        arrived = new.submit(door, "Join chat", name="Grace")
        assert (arrived.status_code, arrived.headers["Location"]) == (303, f"/lite/{room}")
        new.submit(door, "Join chat", name="Grace")
        assert new.http.get(f"/lite?room={room}").headers["Location"] == f"/lite/{room}"
        # Only a room can stand there.
        new.http.cookies.clear()
        for elsewhere in ("//evil.example", "../x", "%2F"):
            assert "room" not in new.see(f"/lite?room={elsewhere}").document.forms[0].fields


def test_the_guest_rate_holds_here_too(start_service: Start) -> None:
    few = start_service("sqlite", CHATAPP_GUESTS_PER_MINUTE="2")
    with Visitor(few.url, "One"), Visitor(few.url, "Two"), Visitor(few.url) as third:
        refused = Shown(third.submit(third.see("/lite"), "Join chat", name="Three"))
        assert refused.status == 429
        assert 1 <= int(refused.answer.headers["Retry-After"]) <= 30
        assert f"{refused.answer.headers['Retry-After']} seconds" in refused.said
        assert refused.document.form("Join chat").fields["name"] == "Three"


# ---- Sending


def test_a_message_is_sent_and_seen_by_everybody(mia: Visitor, ada: Person, mia_room: str) -> None:
    page = mia.see(f"/lite/{mia_room}")
    assert page.document.frames == [f"/lite/{mia_room}/log"]
    answer = mia.submit(page, "Send", body="hello from a form\r\n  two lines \r\n\r\n")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/lite/{mia_room}#message")
    [message] = ada.history(mia_room)
    assert (message["body"], message["sender"]["name"]) == ("hello from a form\n  two lines", "Mia")
    assert mia.bodies(mia_room) == ["hello from a form\n  two lines"]
    ada.send(mia_room, "hello from a program")
    assert mia.bodies(mia_room) == ["hello from a form\n  two lines", "hello from a program"]


def test_the_same_form_again_is_the_same_message(mia: Visitor, ada: Person, mia_room: str) -> None:
    page = mia.see(f"/lite/{mia_room}")
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: mia.submit(page, "Send", body="once"), range(10)))
    assert {answer.status_code for answer in answers} == {303}
    assert [one["body"] for one in ada.history(mia_room)] == ["once"]
    # With another text it is a mistake, such as going back in the browser: it can be sent as a message of its own.
    reused = Shown(mia.submit(page, "Send", body="another"))
    assert reused.status == 409
    form = reused.document.form("Send").fields
    assert form["body"] == "another"
    assert form["localId"] != page.document.form("Send").fields["localId"]
    assert mia.submit(reused, "Send").status_code == 303
    assert [one["body"] for one in ada.history(mia_room)] == ["once", "another"]


def test_the_form_is_the_same_one_until_the_answer_has_come(mia: Visitor, ada: Person, mia_room: str) -> None:
    """Whoever goes back after an answer was lost finds the text in the box, and a form that was asked for anew."""
    page = mia.see(f"/lite/{mia_room}")
    with httpx.Client(base_url=mia.url, cookies=dict(mia.http.cookies)) as lost:
        form = page.document.form("Send")
        assert lost.post(form.action, data={**form.fields, "body": "once"}).status_code == 303
    back = mia.see(f"/lite/{mia_room}")
    assert back.document.form("Send").fields == form.fields
    assert mia.submit(back, "Send", body="once").status_code == 303
    assert [one["body"] for one in ada.history(mia_room)] == ["once"]
    mia.say(mia_room, "once")
    assert [one["body"] for one in ada.history(mia_room)] == ["once", "once"]
    # Another room's form is another one.
    other = ada.create_room()
    mia.press_join(other)
    ids = {mia.see(f"/lite/{room}").document.form("Send").fields["localId"] for room in (mia_room, other)}
    assert len(ids) == 2


def test_what_cannot_be_seen_is_left_out_of_what_was_pasted(mia: Visitor, ada: Person, mia_room: str) -> None:
    mia.say(mia_room, " \n\x1b[31mred\x1b[0m\x00 one\x0btwo\x85three\u2028four")
    assert ada.history(mia_room)[0]["body"] == "red one\ntwo\nthree\nfour"


REFUSED_TEXTS = {
    "x" * 4001: "4,001 characters",
    "😀" * 4001: "4,001",
    "": "Write something",
    " \r\n\t": "Write something",
}


@pytest.mark.parametrize("body", REFUSED_TEXTS, ids=["long", "long emoji", "empty", "blank"])
def test_a_text_that_is_refused_stays_in_the_form(mia: Visitor, ada: Person, mia_room: str, body: str) -> None:
    page = mia.see(f"/lite/{mia_room}")
    before = page.document.form("Send").fields
    refused = Shown(mia.submit(page, "Send", body=body))
    assert refused.status == 400
    assert REFUSED_TEXTS[body] in refused.said
    after = refused.document.form("Send").fields
    assert (after["body"], after["localId"]) == (body, before["localId"])
    assert ada.history(mia_room) == []
    # Shortened, it is the first message of this form.
    assert mia.submit(refused, "Send", body="short").status_code == 303
    assert [one["localId"] for one in ada.history(mia_room)] == [before["localId"]]


def test_too_much_for_a_request_is_a_page(mia: Visitor, mia_room: str) -> None:
    refused = Shown(mia.submit(mia.see(f"/lite/{mia_room}"), "Send", body="x" * 70_000))
    assert refused.status == 413
    assert "Go back" in refused.said


def test_the_longest_message_of_four_byte_characters_passes(mia: Visitor, ada: Person, mia_room: str) -> None:
    mia.say(mia_room, "😀" * 4000)
    assert ada.history(mia_room)[0]["body"] == "😀" * 4000


def test_too_fast_says_when_and_keeps_the_text(start_service: Start) -> None:
    slow = start_service("sqlite", CHATAPP_RATE_BURST="2", CHATAPP_RATE_PER_SECOND="0.2")
    with Visitor(slow.url, "Mia") as mia:
        for body in ("one", "two"):
            mia.say("general", body)
        page = mia.see("/lite/general")
        refused = Shown(mia.submit(page, "Send", body="three"))
        assert refused.status == 429
        wait_s = int(refused.answer.headers["Retry-After"])
        assert 1 <= wait_s <= 5
        assert f"{wait_s} second" in refused.said
        form = refused.document.form("Send").fields
        assert (form["body"], form["localId"]) == ("three", page.document.form("Send").fields["localId"])
        # A repeat of what was accepted is never refused, and costs nothing.
        wait_until(lambda: mia.submit(refused, "Send").status_code == 303, 20, "the rate to let it pass")
        assert mia.submit(refused, "Send").status_code == 303
        assert mia.bodies("general") == ["one", "two", "three"]


# ---- Whose form it is


def test_only_a_form_of_this_session_sends(service: Service, mia: Visitor, ada: Person, mia_room: str) -> None:
    with Visitor(service.url, "Eve") as eve:
        eve.press_join(mia_room)
        eves = eve.see(f"/lite/{mia_room}").document.form("Send").fields["csrf"]
    own = mia.see(f"/lite/{mia_room}").document.form("Send").fields
    with Visitor(service.url) as new:
        before_sign_in = new.see("/lite").document.form("Join chat").fields["csrf"]
    for forged in (eves, before_sign_in, "", "x", own["csrf"][:-1], own["csrf"].swapcase(), "é", None):
        fields = {"localId": own["localId"], "body": "forged", **({} if forged is None else {"csrf": forged})}
        refused = Shown(mia.http.post(f"/lite/{mia_room}", data=fields))
        assert refused.status == 403
        kept = refused.document.form("Send").fields
        # As an own form it can be sent after all, by whoever looks at it.
        assert kept == {"csrf": own["csrf"], "localId": own["localId"], "body": "forged"}
    assert ada.history(mia_room) == []
    for action in ("join", "leave"):
        assert Shown(mia.http.post(f"/lite/{mia_room}/{action}", data={"csrf": eves})).status == 403
    assert Shown(mia.http.post("/lite/sign_out", data={"csrf": eves})).status == 403
    assert mia.submit(refused, "Send").status_code == 303


FOREIGN = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
)


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_page_of_another_site_does_nothing(mia: Visitor, ada: Person, mia_room: str, headers: dict[str, str]) -> None:
    own = mia.see(f"/lite/{mia_room}").document.form("Send").fields
    refused = Shown(mia.http.post(f"/lite/{mia_room}", data={**own, "body": "from elsewhere"}, headers=headers))
    assert refused.status == 403
    assert "from elsewhere" not in refused.answer.text
    for action in (f"/lite/{mia_room}/leave", "/lite/sign_out"):
        assert Shown(mia.http.post(action, data=own, headers=headers)).status == 403
    assert Shown(mia.http.get(f"/lite/{mia_room}/log", headers=headers)).status == 403
    assert ada.history(mia_room) == []
    here = {"Origin": mia.url, "Sec-Fetch-Site": "same-origin"}
    sent = mia.http.post(f"/lite/{mia_room}", data={**own, "body": "from here"}, headers=here)
    assert sent.status_code == 303


def test_a_link_on_another_site_leads_to_a_page_but_shows_none_in_a_frame(mia: Visitor, mia_room: str) -> None:
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert Shown(mia.http.get(f"/lite/{mia_room}", headers=followed)).status == 200
    framed = {**followed, "Sec-Fetch-Dest": "iframe"}
    assert Shown(mia.http.get(f"/lite/{mia_room}/log", headers=framed)).status == 403
    posted = Shown(mia.http.post(f"/lite/{mia_room}", data={"body": "x"}, headers=followed))
    assert posted.status == 403


def test_frames_are_allowed_where_the_log_is_and_nowhere_else(mia: Visitor, mia_room: str) -> None:
    def policy(path: str) -> dict[str, str]:
        parts = mia.http.get(path).headers["Content-Security-Policy"].split("; ")
        return dict(part.split(" ", 1) for part in parts)

    usual = policy("/")
    assert "frame-src" not in usual
    assert usual["frame-ancestors"] == "'none'"
    for path in ("/lite", "/lite/no-such-room", f"/lite/{mia_room}/plain", "/api/v1/session"):
        assert policy(path) == usual
    assert policy(f"/lite/{mia_room}") == {**usual, "frame-src": "'self'"}
    for query in ("", "?after=x"):
        assert policy(f"/lite/{mia_room}/log{query}") == {**usual, "frame-ancestors": "'self'"}


def test_the_api_takes_no_forms(mia: Visitor, ada: Person, mia_room: str) -> None:
    fields = {"localId": new_local_id(), "body": "x", "csrf": mia.see("/lite").document.forms[0].fields["csrf"]}
    refused = mia.http.post(f"/api/v1/rooms/{mia_room}/messages", data=fields)
    assert (refused.status_code, refused.json()["code"]) == (403, "bad_origin")
    document = mia.http.post(f"/lite/{mia_room}", json=fields)
    assert Shown(document).status == 415
    assert ada.history(mia_room) == []


def test_a_session_that_is_over_keeps_the_text(service: Service, mia: Visitor, ada: Person, mia_room: str) -> None:
    page = mia.see(f"/lite/{mia_room}")
    before = page.document.form("Send").fields
    with mia.as_person() as same:
        same.http.delete("/session")
    framed = mia.log(mia_room)
    assert framed.status == 403
    assert ("a", {"href": f"/lite?room={mia_room}", "target": "_top"}) in framed.document.elements
    refused = Shown(mia.submit(page, "Send", body="not lost"))
    assert refused.status == 403
    form = refused.document.form("Join chat").fields
    assert (form["body"], form["localId"], form["room"]) == ("not lost", before["localId"], mia_room)
    assert ada.history(mia_room) == []
    # Never sent as another without being asked.
    waiting = Shown(mia.submit(refused, "Join chat", name="Mia"))
    assert waiting.status == 200
    assert ada.history(mia_room) == []
    form = waiting.document.form("Join and send").fields
    assert (form["body"], form["localId"]) == ("not lost", before["localId"])
    assert mia.submit(waiting, "Join and send").status_code == 303
    assert [one["body"] for one in ada.history(mia_room)] == ["not lost"]


# ---- Reading


def test_a_walk_over_the_pages_meets_each_message_once(mia: Visitor, ada: Person, mia_room: str) -> None:
    said = [f"message {number}" for number in range(120)]
    items = [{"room": mia_room, "localId": new_local_id(), "body": body} for body in said]
    for part in (items[:60], items[60:]):
        assert {one["status"] for one in ada.batch(*part).json()["results"]} == {"sent"}
    wait_until(lambda: all(one["cursor"] for one in ada.history(mia_room)), what="the cursors")
    for start in (f"/lite/{mia_room}/log", f"/lite/{mia_room}/plain"):
        page = mia.see(start)
        assert page.document.bodies == said[-50:]
        assert "Newer messages" not in page.document.links
        pages = [page]
        while "Older messages" in page.document.links:
            page = mia.see(page.document.links["Older messages"])
            assert "refresh" not in page.document.metas
            pages.append(page)
        assert [body for one in reversed(pages) for body in one.document.bodies] == said
        assert "beginning" in page.answer.text
        back = list(page.document.bodies)
        while "Newer messages" in page.document.links:
            page = mia.see(page.document.links["Newer messages"])
            back += page.document.bodies
        assert back == said
        assert page.document.bodies[-1] == said[-1]
        newest = mia.see(pages[-1].document.links["Newest messages"])
        assert newest.document.bodies == said[-50:]
    # Places where nothing is left lead on, too.
    empty = mia.log(mia_room, "?before=1-0")
    assert empty.document.bodies == []
    assert mia.see(empty.document.links["Newest messages"]).document.bodies == said[-50:]
    assert "refresh" in mia.log(mia_room, "?after=9999999999999-0").document.metas


def test_the_log_refreshes_itself_unless_it_is_paused(mia: Visitor, mia_room: str) -> None:
    log = mia.log(mia_room)
    assert log.document.metas["refresh"] == f"15; url=/lite/{mia_room}/log"
    assert "refresh" not in mia.see(f"/lite/{mia_room}").document.metas
    assert "refresh" not in mia.see(f"/lite/{mia_room}/plain").document.metas
    paused = mia.see(log.document.links["Pause"])
    assert "refresh" not in paused.document.metas
    assert mia.see(paused.document.links["Go on by itself"]).document.metas["refresh"]


def test_refresh_leads_to_the_newest_message_each_time(mia: Visitor, ada: Person, mia_room: str) -> None:
    """As another address: browsers load nothing for an anchor in the page that they show."""
    seen = set()
    for _ in range(2):
        answer = mia.http.get(mia.see(f"/lite/{mia_room}").document.links["Refresh"])
        assert answer.status_code == 303
        seen.add(answer.headers["Location"])
        plain = mia.see(f"/lite/{mia_room}/plain").document.links["Refresh"]
        seen.add(plain)
        assert mia.see(plain).status == 200
    assert len(seen) == 4
    assert {one.partition("#")[2] for one in seen} == {"newest"}
    assert mia.see(answer.headers["Location"]).document.metas["refresh"]


def test_a_page_says_what_became_of_messages(mia: Visitor, ada: Person, mia_room: str) -> None:
    mia.say(mia_room, "mine")
    kept, gone = ada.send(mia_room, "first"), ada.send(mia_room, "a secret")
    ada.http.patch(f"/messages/{kept['id']}", json={"body": "better"})
    ada.http.delete(f"/messages/{gone['id']}")
    log = mia.log(mia_room)
    assert log.document.bodies == ["mine", "better"]
    assert log.document.notes == ["Sent", "Edited"]
    assert "This message was deleted." in log.answer.text
    assert "a secret" not in log.answer.text
    assert "(UTC)" in log.answer.text
    assert "3 members, 0 online" in log.answer.text
    assert ("li", {"class": "message", "id": "newest"}) in log.document.elements
    assert log.document.headings == [1, 2]
    created = kept["createdAt"]
    assert ("time", {"datetime": created, "title": created}) in log.document.elements
    assert f">{created[11:16]}</time>" in log.answer.text


def test_what_is_seen_is_read_and_delivered(mia: Visitor, ada: Person, mia_room: str) -> None:
    sent = [ada.send(mia_room, f"{number}") for number in range(3)]
    assert "3 unread" in mia.see("/lite").answer.text
    with mia.as_person() as same:
        mia.see("/lite"), mia.see(f"/lite/{mia_room}")
        assert same.http.get(f"/rooms/{mia_room}").json()["unread"] == 3
        mia.http.head(f"/lite/{mia_room}/log")
        assert same.http.get(f"/rooms/{mia_room}").json()["unread"] == 3
        mia.log(mia_room)
        room = same.http.get(f"/rooms/{mia_room}").json()
        assert (room["unread"], room["readCursor"]) == (0, sent[-1]["cursor"])
    assert "unread" not in mia.see("/lite").answer.text

    def states() -> list[tuple[str, int, int]]:
        found = [ada.message(one["id"]) for one in sent]
        return [(one["status"], one["deliveredTo"], one["readBy"]) for one in found]

    wait_until(lambda: states() == [("delivered", 1, 1)] * 3, DELIVERED_S, "the delivery")
    # And the sender's page says it in a word.
    with Visitor(mia.url) as ada_lite:
        ada_lite.http.headers["Authorization"] = f"Bearer {ada.token}"
        assert ada_lite.log(mia_room).document.notes == ["Delivered"] * 3


def test_an_older_page_takes_nothing_back(mia: Visitor, ada: Person, mia_room: str) -> None:
    first, last = ada.send(mia_room, "first"), ada.send(mia_room, "last")
    mia.log(mia_room)
    mia.log(mia_room, f"?before={last['cursor']}")
    with mia.as_person() as same:
        assert same.http.get(f"/rooms/{mia_room}").json()["readCursor"] == last["cursor"]
    assert first["cursor"] != last["cursor"]


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</textarea></div><h1>owned",
    "{{ 7 * 7 }} {% raw %} &lt;b&gt;",
    "\u202eright to left for ever",
    "\u2066\u2067 isolates that never end",
    "javascript:alert(1) data:text/html,x",
]


@pytest.mark.parametrize("body", HOSTILE)
def test_whatever_is_said_stays_text(mia: Visitor, ada: Person, mia_room: str, body: str) -> None:
    ada.send(mia_room, body)
    log = mia.log(mia_room)
    assert log.document.bodies == [body]
    assert ("div", {"class": "body", "dir": "auto"}) in log.document.elements
    tags = {tag for tag, _ in log.document.elements}
    assert not tags & {"script", "img"}
    assert log.document.headings == [1, 2]
    assert not [
        one for one in log.document.elements if one[0] == "a" and "rel" in one[1] and "noopener" in one[1]["rel"]
    ]
    # In the form too.
    page = mia.see(f"/lite/{mia_room}")
    refused = Shown(mia.submit(page, "Send", body=body + " " + "x" * 4000 + "y"))
    assert refused.document.form("Send").fields["body"] == body + " " + "x" * 4000 + "y"
    assert "script" not in {tag for tag, _ in refused.document.elements}


def test_names_and_titles_stay_text_and_in_their_place(mia: Visitor, ada: Person, service: Service) -> None:
    title = "<b>שלום & co"
    name = f"room-{new_local_id()[:12].lower().replace('_', 'x')}"
    assert ada.http.post("/rooms", json={"name": name, "title": title}).status_code == 201
    shown = mia.see(f"/lite/{name}")
    assert "<bdi>&lt;b&gt;שלום &amp; co</bdi>" in shown.answer.text
    with Person(service.url, "<i>Ivy") as ivy:
        ivy.join(name)
        ivy.send(name, "hello")
    assert '<bdi class="name">&lt;i&gt;Ivy</bdi>' in mia.log(name).answer.text


def test_two_of_one_name_are_told_apart(mia: Visitor, service: Service, room: str) -> None:
    with Person(service.url, "Sam") as one, Person(service.url, "Sam") as other:
        for sam in (one, other):
            sam.join(room)
            sam.send(room, "it is me")
        log = mia.log(room)
        for sam in (one, other):
            assert f"({sam.id[-4:]})" in log.answer.text


def test_addresses_become_links(mia: Visitor, ada: Person, mia_room: str) -> None:
    ada.send(mia_room, "see https://a.example/x?a=1&b=2. (http://b.example/y_(z)) ftp://no https:// HTTPS://C.example")
    links = [
        attributes for tag, attributes in mia.log(mia_room).document.elements if tag == "a" and "rel" in attributes
    ]
    assert [one["href"] for one in links] == [
        "https://a.example/x?a=1&b=2",
        "http://b.example/y_(z)",
        "HTTPS://C.example",
    ]
    assert {one["rel"] for one in links} == {"noopener noreferrer nofollow"}
    assert {one["target"] for one in links} == {"_blank"}


# ---- Rooms


def test_joining_and_leaving(mia: Visitor, ada: Person, room: str) -> None:
    page = mia.see(f"/lite/{room}")
    assert [one.buttons for one in page.document.forms] == [["Join"]]
    assert mia.log(room).status == 200
    answer = mia.submit(page, "Join")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/lite/{room}")
    joined = mia.see(f"/lite/{room}")
    assert mia.submit(page, "Join").status_code == 303
    left = mia.submit(joined, "Leave")
    assert (left.status_code, left.headers["Location"]) == (303, "/lite")
    with mia.as_person() as same:
        assert same.id not in {one["id"] for one in ada.http.get(f"/rooms/{room}/members").json()["members"]}


def test_rooms_of_one_title_are_told_apart(mia: Visitor, ada: Person) -> None:
    alone, one, other = (ada.create_room() for _ in range(3))
    for name, title in ((alone, "Alone " + alone), (one, "Same " + one), (other, "Same " + one)):
        assert ada.http.patch(f"/rooms/{name}", json={"title": title}).status_code == 200
        mia.press_join(name)
    text = mia.see("/lite").answer.text
    assert f"<small>{one}</small>" in text
    assert f"<small>{other}</small>" in text
    assert f"<small>{alone}</small>" not in text


def test_the_list_says_what_is_ones_own(service: Service, mia: Visitor, ada: Person, private_room: str) -> None:
    own, public = ada.create_room(), ada.create_room()
    with mia.as_person() as same:
        mia.press_join(own)
        ada.http.put(f"/direct/{same.id}")
        text = mia.see("/lite").answer.text
    yours, direct, others = (text.index(f"<h2>{one}") for one in ("Your rooms", "Direct messages", "Public rooms"))
    assert yours < text.index(own) < direct < text.index("<bdi>Ada</bdi></a>") < others
    assert private_room not in text
    pages = [mia.see("/lite")]
    while "More rooms" in pages[-1].document.links:
        pages.append(mia.see(pages[-1].document.links["More rooms"]))
    assert sum(public in one.document.links for one in pages) == 1
    assert public not in text[yours:direct]


def test_a_private_room_is_there_for_nobody_else(mia: Visitor, private_room: str) -> None:
    """At no address, in no word."""
    csrf = mia.see("/lite").document.forms[0].fields["csrf"]
    local_id = new_local_id()
    for method, path in (
        ("GET", ""),
        ("GET", "/log"),
        ("GET", "/plain"),
        ("POST", ""),
        ("POST", "/join"),
        ("POST", "/leave"),
    ):
        fields = {"csrf": csrf, "body": "x", "localId": local_id} if method == "POST" else None
        said = []
        for name in (private_room, "room-000000000000", "not_a_room"):
            shown = Shown(mia.http.request(method, f"/lite/{name}{path}", data=fields))
            assert shown.status == 404
            said.append(shown.answer.text.replace(name, "NAME"))
        assert said[0] == said[1]


def test_a_removed_member_keeps_the_text_and_sees_nothing_more(mia: Visitor, ada: Person, service: Service) -> None:
    room = ada.create_room("private")
    with mia.as_person() as same:
        ada.invite(room, same)
        page = mia.see(f"/lite/{room}")
        ada.send(room, "for members")
        assert mia.bodies(room) == ["for members"]
        ada.remove(room, same)
    wait_until(lambda: mia.log(room).status == 404, what="the removal")
    refused = Shown(mia.submit(page, "Send", body="still here?"))
    assert refused.status == 404
    form = refused.document.form("Send").fields
    assert (form["body"], form["localId"]) == ("still here?", page.document.form("Send").fields["localId"])
    assert "for members" not in refused.answer.text
    assert [one["body"] for one in ada.history(room)] == ["for members"]


def test_who_was_removed_from_a_public_room_joins_and_sends_in_one(mia: Visitor, ada: Person, mia_room: str) -> None:
    page = mia.see(f"/lite/{mia_room}")
    with mia.as_person() as same:
        ada.remove(mia_room, same)
    refused = Shown(mia.submit(page, "Send", body="again"))
    assert refused.status == 403
    assert "Join" in refused.said
    assert mia.submit(refused, "Join and send").status_code == 303
    assert [one["body"] for one in ada.history(mia_room)] == ["again"]


def test_a_deleted_room_keeps_the_text(mia: Visitor, ada: Person, mia_room: str) -> None:
    page = mia.see(f"/lite/{mia_room}")
    assert ada.http.delete(f"/rooms/{mia_room}").status_code == 204
    refused = Shown(mia.submit(page, "Send", body="too late"))
    assert (refused.status, refused.document.form("Send").fields["body"]) == (404, "too late")
    assert mia.see(f"/lite/{mia_room}").status == 404


# ---- Addresses


ODD = ("%zz", "%", "%00", "%ff%fe", "..%2f..", "a%20b", "x" * 65, "%F0%9F%98%80", "General", "-")


@pytest.mark.parametrize("name", ODD)
def test_a_room_that_cannot_be_is_a_page(service: Service, mia: Visitor, name: str) -> None:
    for _ in ("signed in", "signed out"):
        shown = mia.see(f"/lite/{name}")
        assert shown.status == 404
        assert "/lite" in shown.document.links.values()
        mia.http.cookies.clear()


def test_errors_are_pages_with_a_way_on(mia: Visitor, mia_room: str) -> None:
    for method, path, status in (
        ("GET", f"/lite/{mia_room}/nothing", 404),
        ("GET", f"/lite/{mia_room}/join", 405),
        ("PUT", f"/lite/{mia_room}", 405),
        ("POST", f"/lite/{mia_room}/log", 405),
        ("GET", f"/lite/{mia_room}/log?before=x", 400),
        ("GET", f"/lite/{mia_room}/plain?before=1-0&before=2-0", 400),
        ("GET", "/lite?after=x", 400),
        ("POST", f"/lite/{mia_room}", 415),
    ):
        shown = Shown(mia.http.request(method, path))
        assert shown.status == status, path
        assert shown.said
        assert "/lite" in {urlsplit(link).path for link in shown.document.links.values()}
        assert shown.document.headings == [1]
        assert ("Allow" in shown.answer.headers) == (status == 405)


UNREADABLE = {
    "not UTF-8": b"body=%ff%fe&csrf=x",
    "a raw byte": b"body=\xff",
    "a surrogate": b"body=%ed%a0%80",
    "many fields": b"&".join(b"f%d=x" % number for number in range(50)),
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_form_that_cannot_be_read_is_a_page(mia: Visitor, mia_room: str, content: bytes) -> None:
    shown = Shown(mia.http.post(f"/lite/{mia_room}", content=content, headers=FORM))
    assert (shown.status, shown.said) == (400, "The form cannot be read.")


def test_a_form_without_a_length_or_an_end_is_a_page(mia: Visitor, mia_room: str) -> None:
    chunked = mia.http.post(f"/lite/{mia_room}", content=iter([b"body=x"]), headers=FORM)
    assert Shown(chunked).status == 411
    answer = half_sent(mia, f"/lite/{mia_room}")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"<h1>Not done</h1>" in answer
    assert b"json" not in answer


def half_sent(visitor: Visitor, path: str) -> bytes:
    parts = urlsplit(visitor.url)
    head = f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 9\r\n\r\nbody"
    with socket.create_connection((parts.hostname or "", parts.port or 80), 15) as connection:
        connection.sendall(head.encode())
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    return received


def test_one_slash_behind_an_address_changes_nothing(mia: Visitor, mia_room: str) -> None:
    for path in ("/lite", f"/lite/{mia_room}/plain"):
        assert mia.see(f"{path}/").document.headings == mia.see(path).document.headings
    page = mia.see(f"/lite/{mia_room}/")
    assert page.document.frames == [f"/lite/{mia_room}/log"]
    form = page.document.form("Send")
    sent = mia.http.post(f"{form.action}/", data={**form.fields, "body": "with a slash"})
    assert sent.status_code == 303
    assert mia.bodies(mia_room) == ["with a slash"]


def test_parameters_that_others_add_to_a_link_are_passed_over(mia: Visitor, mia_room: str) -> None:
    assert mia.see(f"/lite/{mia_room}?utm_source=mail&_=1").status == 200


def test_behind_a_proxy_every_address_has_its_prefix(start_service: Start) -> None:
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "chat.example", "X-Forwarded-Prefix": "/talk"}
    behind = start_service("sqlite", CHATAPP_PROXIES="1")
    with Visitor(behind.url, **forwarded) as mia:
        door = mia.see("/lite")
        assert "Path=/talk" in door.answer.headers["Set-Cookie"]
        assert "Secure" in door.answer.headers["Set-Cookie"]
        # The proxy takes the prefix away; the cookies come as a browser sends them there.
        cookies = {"Cookie": door.answer.headers["Set-Cookie"].partition(";")[0]}
        form = door.document.form("Join chat")
        assert form.action == "/talk/lite"
        joined = mia.http.post("/lite", data={**form.fields, "name": "Mia"}, headers=cookies)
        assert (joined.status_code, joined.headers["Location"]) == (303, "/talk/lite")
        cookies = {"Cookie": joined.headers["Set-Cookie"].partition(";")[0]}
        for path in ("/lite", "/lite/general", "/lite/general/log", "/lite/general/plain", "/lite/nothing"):
            shown = Shown(mia.http.get(path, headers=cookies))
            addresses = [*shown.document.links.values(), *shown.document.frames]
            addresses += [form.action for form in shown.document.forms]
            addresses += [one[1]["href"] for one in shown.document.elements if one[0] == "link"]
            if "refresh" in shown.document.metas:
                addresses.append(shown.document.metas["refresh"].partition("url=")[2])
            assert {one for one in addresses if not one.startswith(("/talk/", "#"))} == set()
        page = Shown(mia.http.get("/lite/general", headers=cookies))
        form = page.document.form("Send")
        origin = {**cookies, "Origin": "https://chat.example"}
        sent = mia.http.post("/lite/general", data={**form.fields, "body": "through a proxy"}, headers=origin)
        assert (sent.status_code, sent.headers["Location"]) == (303, "/talk/lite/general#message")


# ---- Faults


def test_a_worker_that_dies_before_it_answers_stores_at_most_once(start_service: Start) -> None:
    own = start_service("sqlite")
    with Visitor(own.url, "Mia") as mia, sqlite3.connect(database_of(own)) as rows:
        for number in range(6):
            page = mia.see("/lite/general")
            form = page.document.form("Send")
            fields = {**form.fields, "body": f"message {number}"}
            with submitted(mia, form.action, fields) as connection:
                if number % 2:
                    stored_by_now = f"SELECT 1 FROM messages WHERE local_id = '{fields['localId']}'"
                    while not rows.execute(stored_by_now).fetchall():
                        pass
                own.kill_worker()
                received(connection)  # the answer, part of it, or none
            wait_until(own.ready, what="another worker")
            assert mia.http.post(form.action, data=fields).status_code == 303
            assert mia.http.post(form.action, data=fields).status_code == 303
            assert mia.bodies("general") == [f"message {one}" for one in range(number + 1)]


def database_of(service: Service) -> Path:
    [found] = (service.folder / "data").glob("*.db")
    return found


def submitted(visitor: Visitor, path: str, fields: dict[str, str]) -> socket.socket:
    """A connection on which the form was sent."""
    parts = urlsplit(visitor.url)
    body = urlencode(fields).encode()
    cookies = "; ".join(f"{name}={value}" for name, value in visitor.http.cookies.items())
    lines = (
        f"POST {path} HTTP/1.1",
        f"Host: {parts.netloc}",
        f"Cookie: {cookies}",
        f"Content-Type: {FORM['Content-Type']}",
        f"Content-Length: {len(body)}",
    )
    connection = socket.create_connection((parts.hostname or "", parts.port or 80), 15)
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
    return connection


def received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionResetError:
        return b""


def test_while_the_database_is_away_the_form_keeps_everything(tmp_path: Path) -> None:
    with open_folder() as folder:
        own_postgres = Postgres(folder / "cluster")
        own = Service(tmp_path / "service", DATABASE_URL=own_postgres.database(), WEB_CONCURRENCY="2")
        try:
            with Visitor(own.url, "Mia") as mia:
                page = mia.see("/lite/general")
                before = page.document.form("Send").fields
                own_postgres.stop()
                for refused in (Shown(mia.submit(page, "Send", body="meanwhile")) for _ in range(4)):
                    assert refused.status == 503
                    assert int(refused.answer.headers["Retry-After"]) >= 1
                    assert refused.document.form("Send").fields == {**before, "body": "meanwhile"}
                # Also a worker that does not know the session, and cannot look at the form's token.
                own.kill_workers()
                wait_until(lambda: answers(f"{own.url}/healthz"), what="other workers")
                refused = Shown(mia.submit(refused, "Send"))
                assert refused.status == 503
                assert refused.document.form("Send").fields == {**before, "body": "meanwhile"}
                framed = mia.log("general")
                assert framed.status == 503
                assert framed.document.metas["refresh"].endswith("; url=/lite/general/log")
                own_postgres.start_again()
                wait_until(lambda: mia.submit(refused, "Send").status_code == 303, 20, "the database")
                assert mia.submit(refused, "Send").status_code == 303
                assert mia.bodies("general") == ["meanwhile"]
            assert "Traceback" not in own.log()
        finally:
            own.stop()
            own_postgres.stop()


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def test_reading_has_the_rate_of_the_api(start_service: Start) -> None:
    own = start_service("sqlite")
    # A page of so many messages costs a tenth of what may be read in a second: a slow machine meets the limit, too.
    with Person(own.url) as talker:
        for number in range(200):
            talker.send("general", f"line {number}")
    with Visitor(own.url, "Mia") as mia, mia.as_person() as same:

        def refused() -> Shown | None:
            same.http.get("/rooms/general/messages?limit=200")
            shown = mia.log("general")
            return shown if shown.status == 429 else None

        with ThreadPoolExecutor(4) as pool:
            found = next(filter(None, pool.map(lambda _: refused(), range(300))), None)
        assert found is not None
        assert int(found.answer.headers["Retry-After"]) >= 1
        assert found.document.metas["refresh"]


def test_the_service_logged_no_defect(service: Service) -> None:
    """Runs last in this file: nothing above was answered by luck after a traceback."""
    assert "Traceback" not in service.log()
