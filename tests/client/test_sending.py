"""Sending: into the outbox at once, out of it in order, each message once."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from chatapp.client import Away
from chatapp.client import Client
from chatapp.client import Closed
from chatapp.client import OutboxFull
from chatapp.client import OutboxInUse
from chatapp.client import OutboxOfAnother
from chatapp.client import Refused
from chatapp.client import Unauthenticated
from chatapp.client import http_request
from chatapp.client import session
from chatapp.client.outbox import Item
from chatapp.client.outbox import Outbox
from chatapp.client.step import Call
from chatapp.client.store import Store
from chatapp.client.threads.sending import Sending
from tests.client.conftest import Connect
from tests.client.heard import Heard
from tests.conftest import Start
from tests.support.person import Person
from tests.support.person import new_local_id
from tests.support.processes import wait_until
from tests.support.service import Service
from tests.support.tcp_proxy import TcpProxy

SOON_S = 15.0
# Nobody listens there: port 9 is discard.
NOWHERE = "http://127.0.0.1:9"


def bodies(who: Person, room: str) -> list[str]:
    return [one["body"] for one in who.history(room)]


def test_a_message_goes_out_and_is_known(connect: Connect, ada: Person, own_room: str) -> None:
    client = connect(ada.url, ada.token)
    states: list[str] = []
    sending = client.send(own_room, "hello", {"card": 1}).watch(lambda one: states.append(one.state))
    message = sending.wait(SOON_S)
    assert (message.body, message.data, message.room, message.sender.id) == ("hello", {"card": 1}, own_room, ada.id)
    assert (sending.state, sending.problem, sending.message, sending.done) == ("sent", None, message, True)
    assert message.local_id == sending.local_id
    wait_until(lambda: states[-1] == "sent")
    assert set(states) <= {"sending", "sent"}
    assert client.sending(sending.local_id).message == message
    assert client.sending("never-heard-of") is None
    assert ada.message(message.id)["createdAt"] == message.created_at.isoformat(timespec="milliseconds")[:-6] + "Z"


def test_while_the_service_is_away_it_waits_and_goes_out_in_order(
    connect: Connect, ada: Person, own_room: str, proxy: TcpProxy
) -> None:
    other_room = ada.create_room()
    proxy.cut()
    client = connect(proxy.url, ada.token)
    sendings = [client.send(room, f"{number}") for number in range(5) for room in (own_room, other_room)]
    assert {one.state for one in sendings} == {"sending"}
    assert client.waiting == 10
    with pytest.raises(Away, match=r"waits in the outbox"):
        sendings[0].wait(0.1)
    proxy.restore()
    assert client.flush(SOON_S)
    assert {one.state for one in sendings} == {"sent"}
    for room in (own_room, other_room):
        assert bodies(ada, room) == ["0", "1", "2", "3", "4"]


def test_an_answer_that_was_lost_stores_nothing_twice(
    connect: Connect, ada: Person, own_room: str, proxy: TcpProxy
) -> None:
    client = connect(proxy.url, ada.token)
    client.send(own_room, "before").wait(SOON_S)
    proxy.swallow_replies(0.1)
    sending = client.send(own_room, "once")
    wait_until(lambda: bodies(ada, own_room) == ["before", "once"])
    assert sending.state == "sending"
    proxy.heal()
    assert sending.wait(SOON_S).body == "once"
    client.send(own_room, "after").wait(SOON_S)
    assert bodies(ada, own_room) == ["before", "once", "after"]


def test_what_is_refused_fails_and_the_next_goes_on(
    connect: Connect, ada: Person, own_room: str, proxy: TcpProxy
) -> None:
    proxy.cut()
    client = connect(proxy.url, ada.token)
    good, bad, lost, last = [
        client.send(room, body)
        for room, body in ((own_room, "1"), (own_room, "\b"), ("no-such-room", "x"), (own_room, "2"))
    ]
    surrogate = client.send(own_room, "a\ud800b")
    proxy.restore()
    assert [good.wait(SOON_S).body, last.wait(SOON_S).body] == ["1", "2"]
    for sending, code, status in (
        (bad, "invalid_message", 422),
        (lost, "not_found", 404),
        (surrogate, "invalid_message", 422),
    ):
        with pytest.raises(Refused) as refused:
            sending.wait(SOON_S)
        assert (refused.value.code, refused.value.status) == (code, status)
        assert (sending.state, sending.problem.code, sending.message) == ("failed", code, None)
    assert "body" in bad.problem.errors
    assert client.waiting == 0
    assert bodies(ada, own_room) == ["1", "2"]


def test_the_same_local_id_is_the_same_message_and_a_failed_one_starts_over(
    connect: Connect, ada: Person, own_room: str
) -> None:
    client = connect(ada.url, ada.token)
    local_id = new_local_id()
    with pytest.raises(Refused):
        client.send(own_room, "", local_id=local_id).wait(SOON_S)
    first = client.send(own_room, "said", local_id=local_id)
    again = client.send(own_room, "said in other words", local_id=local_id)
    assert first.wait(SOON_S) == again.wait(SOON_S)
    assert first.problem is None
    with pytest.raises(ValueError, match="was used in"):
        client.send("another-room", "said", local_id=local_id)
    assert bodies(ada, own_room) == ["said"]


@pytest.fixture(scope="module")
def strict(start_service: Start) -> Service:
    return start_service("sqlite", CHATAPP_RATE_BURST="3", CHATAPP_RATE_PER_SECOND="5")


def test_the_rate_is_obeyed(connect: Connect, strict: Service) -> None:
    with Person(strict.url) as ada:
        room = ada.create_room()
        client = connect(strict.url, ada.token)
        for number in range(9):
            client.send(room, f"{number}")
        assert client.flush(SOON_S)
        assert bodies(ada, room) == [f"{number}" for number in range(9)]


def test_delivered_is_heard_or_asked_for(connect: Connect, ada: Person, bob: Person, room: str) -> None:
    client = connect(ada.url, ada.token)
    asked = client.send(room, "one")
    asked.wait(SOON_S)
    with pytest.raises(Away, match="not delivered"):
        client.wait_delivered(asked, 0.1)
    assert asked.state == "sent"
    bob.ack(bob.cursor())
    client.wait_delivered(asked, SOON_S)
    assert asked.state == "delivered"
    with Heard(client.listen()) as heard:
        heard.until_ready()
        told = client.send(room, "two")
        told.wait(SOON_S)
        bob.ack(bob.cursor())
        wait_until(lambda: told.state == "delivered", SOON_S)
        assert "message.status" in heard.types() or told.message.status == "delivered"
    assert client.sending(told.local_id).state == "delivered"


def test_delivered_is_known_also_of_what_the_outbox_has_forgotten(
    connect: Connect, ada: Person, bob: Person, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatapp.client.outbox.DONE_MAX", 1)
    client = connect(ada.url, ada.token)
    sendings = [client.send(room, f"{number}") for number in range(3)]
    assert client.flush(SOON_S)
    assert client.sending(sendings[0].local_id) is None
    bob.ack(bob.cursor())
    client.wait_delivered(sendings[0], SOON_S)
    assert sendings[0].state == "delivered"


def test_what_was_delivered_before_the_answer_came_stays_so() -> None:
    document = {"id": "m", "localId": "once-0001", "room": "general", "sender": {"id": "u", "name": "Ada"}, "body": "x"}
    answer = {**document, "data": None, "createdAt": "2026-11-22T10:00:00.123Z", "status": "sent", "cursor": None}
    sending = Sending(Item(1, "once-0001", "general", document, "sending", None))
    sending.become("delivered", None)
    sending.become("sent", {**answer, "editedAt": None, "deletedAt": None, "growing": False})
    assert (sending.state, sending.message and sending.message.id) == ("delivered", "m")


def test_an_empty_local_id_is_refused_and_not_made_up(connect: Connect, ada: Person, own_room: str) -> None:
    client = connect(ada.url, ada.token)
    with pytest.raises(Refused, match="localId"):
        client.send(own_room, "x", local_id="").wait(SOON_S)
    with pytest.raises(Refused, match="localId"):
        client.reply(own_room, local_id="").begin()


def test_the_outbox_is_bounded_and_says_what_it_cannot_take(
    connect: Connect, ada: Person, own_room: str, proxy: TcpProxy, file: Path
) -> None:
    proxy.cut()
    client = connect(proxy.url, ada.token, waiting_max=2, outbox=file)
    client.send(own_room, "1")
    client.send(own_room, "2")
    with pytest.raises(OutboxFull):
        client.send(own_room, "3")
    with pytest.raises(Refused, match="too_large"):
        client.send(own_room, "x" * 70_000)
    for wrong, error in (({"a": object()}, TypeError), ({"a": float("nan")}, ValueError)):
        with pytest.raises(error):
            client.send(own_room, "x", wrong)
    with pytest.raises(ValueError, match="a room has a name"):
        client.send("", "x")
    assert client.waiting == 2
    proxy.restore()
    assert client.flush(SOON_S)
    assert bodies(ada, own_room) == ["1", "2"]


def test_a_file_goes_on_where_it_was_left(
    connect: Connect, ada: Person, own_room: str, proxy: TcpProxy, file: Path
) -> None:
    proxy.cut()
    first = connect(proxy.url, ada.token, outbox=file)
    waiting = [first.send(own_room, f"{number}") for number in range(3)]
    with pytest.raises(OutboxInUse):
        Client(proxy.url, ada.token, outbox=file)
    first.close(timeout=0)
    with pytest.raises(Closed):
        first.send(own_room, "too late")
    second = connect(proxy.url, ada.token, outbox=file)
    assert second.waiting == 3
    kept = second.sending(waiting[1].local_id)
    assert kept.state == "sending"
    proxy.restore()
    assert kept.wait(SOON_S).body == "1"
    assert second.flush(SOON_S)
    assert bodies(ada, own_room) == ["0", "1", "2"]


def test_without_a_file_what_is_lost_is_said(connect: Connect, ada: Person) -> None:
    client = connect(NOWHERE, ada.token)
    client.send("general", "lost")
    with pytest.raises(Away, match="are lost"):
        client.close(timeout=0.1)
    client.close()


def test_a_session_that_is_over_stops_the_outbox_and_keeps_it(
    connect: Connect, ada: Person, own_room: str, file: Path, service: Service
) -> None:
    client = connect(ada.url, "no-token-at-all", outbox=file)
    sending = client.send(own_room, "kept")
    with pytest.raises(Unauthenticated):
        sending.wait(SOON_S)
    assert sending.state == "sending"
    with pytest.raises(Unauthenticated):
        client.send(own_room, "not taken")
    with pytest.raises(Unauthenticated):
        client.flush(SOON_S)
    client.close()
    again = connect(ada.url, ada.token, outbox=file)
    assert again.flush(SOON_S)
    assert bodies(ada, own_room) == ["kept"]
    again.close()
    # From here on it is Ada's.
    with Person(service.url, "Mallory") as mallory:
        other = connect(ada.url, mallory.token, outbox=file)
        with pytest.raises(OutboxOfAnother):
            other.send(own_room, "as somebody else").wait(SOON_S)
        other.close()
    with pytest.raises(OutboxOfAnother):
        connect(ada.url, name="Ada", outbox=file)


def test_a_guest_is_the_same_after_a_restart(connect: Connect, service: Service, file: Path) -> None:
    first = connect(service.url, name="Robot", outbox=file)
    me = first.me()
    assert me.name == "Robot"
    assert oct(file.stat().st_mode)[-3:] == "600"
    first.close()
    second = connect(service.url, name="Robot", outbox=file)
    assert second.me() == me
    assert second.send("general", "still me").wait(SOON_S).sender == me
    second.close()
    # Signed out elsewhere: what waits is not sent by a new guest.
    store = Store(file)
    with store.reading() as connection:
        [token] = connection.execute("SELECT token FROM session").fetchone()
    store.close()
    with Person(service.url, token=token) as robot:
        assert robot.http.request("DELETE", "/session").status_code == 204
    left = connect(NOWHERE, name="Robot", outbox=file)
    left.send("general", "mine alone")
    with pytest.raises(Away):
        left.sending(left.send("general", "mine too").local_id).wait(0.1)
    left.close(timeout=0)
    third = connect(service.url, name="Robot", outbox=file)
    with pytest.raises(Unauthenticated, match="2 of its messages wait"):
        third.flush(SOON_S)
    third.close()
    with pytest.raises(OutboxOfAnother):
        connect(service.url, name="Another", outbox=file)


def test_me_is_who_it_is_now_and_not_who_the_file_tells_of(connect: Connect, service: Service, file: Path) -> None:
    first = connect(service.url, name="Robot", outbox=file)
    former, token = first.me(), first.token
    first.close()
    with Person(service.url, token=token) as robot:
        robot.http.request("DELETE", "/session")
    second = connect(service.url, name="Robot", outbox=file)
    me = second.me()
    assert me.id != former.id
    assert second.send("general", "hello").wait(SOON_S).sender == me


def test_a_guest_s_token_may_be_given_with_the_name(connect: Connect, service: Service) -> None:
    first = connect(service.url, name="Robot")
    me, token = first.me(), first.token
    assert connect(service.url, token, name="Robot").me() == me
    # One that was signed out is nobody's: a new guest begins.
    with Person(service.url, token=token) as robot:
        robot.http.request("DELETE", "/session")
    assert connect(service.url, token, name="Robot").me().id != me.id


def test_a_name_that_is_none_stops_the_client_and_not_the_message(connect: Connect, service: Service) -> None:
    client = connect(service.url, name="\b")
    sending = client.send("general", "hello")
    with pytest.raises(Unauthenticated, match="name"):
        sending.wait(SOON_S)
    assert sending.state == "sending"


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("chat.example", {"name": "Ada"}),
        ("ftp://chat.example", {"name": "Ada"}),
        ("http://", {"name": "Ada"}),
        ("http://chat.example/?a=b", {"name": "Ada"}),
        ("http://\x00", {"name": "Ada"}),
        ("http://chat.example", {}),
        ("http://ada:secret@chat.example", {"name": "Ada"}),
        ("http://ada:secret@chat.example:x", {"name": "Ada"}),
        ("http://chat.example", {"token": "secret\n"}),
        ("http://chat.example", {"token": "sécret"}),
        ("http://chat.example", {"token": ""}),
    ],
)
def test_a_client_that_can_never_work_is_refused_at_once(connect: Connect, url: str, named: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"URL|address|token") as refused:
        connect(url, **named)
    assert "cret" not in str(refused.value)


def test_a_file_that_is_no_outbox_is_named(connect: Connect, tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("no database at all" * 1000)
    for path in (text, tmp_path, tmp_path / "none" / "outbox.db"):
        with pytest.raises(OSError, match=str(path)):
            connect(NOWHERE, name="Ada", outbox=path)
    store = Store(tmp_path / "later.db")
    with store.transaction() as connection:
        connection.execute("PRAGMA user_version = 2")
    store.close()
    with pytest.raises(OutboxOfAnother, match="version"):
        connect(NOWHERE, name="Ada", outbox=tmp_path / "later.db")


def test_what_is_long_done_is_forgotten(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatapp.client.outbox.DONE_MAX", 20)
    store = Store(file)
    outbox = Outbox(store, 10)
    for number in range(40):
        item = outbox.add("general", {"localId": f"number-{number:05}", "body": "x"})
        outbox.settle(item.local_id, "sent", {})
    kept = outbox.add("general", {"localId": "waits-and-stays", "body": "x"})
    assert outbox.find("number-00010") is None
    assert outbox.find("number-00039") is not None
    assert [one.local_id for one in outbox.heads()] == [kept.local_id]
    with store.reading() as connection:
        [count] = connection.execute("SELECT count(*) FROM items").fetchone()
    assert count == 21
    store.close()


def test_a_full_disk_is_said_and_outlived(connect: Connect, ada: Person, own_room: str, file: Path) -> None:
    client = connect(ada.url, ada.token, outbox=file)
    client.send(own_room, "1").wait(SOON_S)
    with client._parts.store.reading() as connection:
        [pages] = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(OSError, match=r"outbox\.db: database or disk is full"):
        client.send(own_room, "x" * 60_000)
    with client._parts.store.reading() as connection:
        connection.execute("PRAGMA max_page_count = 100000")
    client.send(own_room, "2").wait(SOON_S)
    assert bodies(ada, own_room) == ["1", "2"]


def test_what_watches_may_fail_and_may_close(
    connect: Connect, ada: Person, own_room: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = connect(ada.url, ada.token)
    client.send(own_room, "1").watch(lambda one: 1 // (one.state != "sent"))
    client.send(own_room, "2").wait(SOON_S)
    assert bodies(ada, own_room) == ["1", "2"]
    assert ["ZeroDivisionError" in (record.exc_text or "") for record in caplog.records] == [True]


def test_the_session_is_asked_for_again_each_day(
    connect: Connect, service: Service, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connect(service.url, name="Longlived", outbox=file)
    me = client.me()
    monkeypatch.setattr(session, "RENEW_AFTER_S", 0.0)
    assert client.send("general", "hello").wait(SOON_S).sender == me
    # Signed out elsewhere: no other guest goes on in its place.
    with Person(service.url, token=client._parts.session.token) as same:
        same.http.request("DELETE", "/session")
    with pytest.raises(Unauthenticated, match="session of the guest 'Longlived' is over"):
        client.send("general", "as somebody else").wait(SOON_S)


def test_the_address_of_a_service_may_have_a_path() -> None:
    http = httpx.Client(base_url=http_request.base_url("https://example.org/talk/"))
    call = Call("POST", "rooms/a%2Fb/messages", {"body": "é\ud800"})
    request = http_request.request_of(http, call, "token")
    assert str(request.url) == "https://example.org/talk/api/v1/rooms/a%2Fb/messages"
    assert request.headers["Authorization"] == "Bearer token"
    assert json.loads(request.content) == {"body": "é\ud800"}
