"""Listening: every event once, in order, whatever the network does."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from chatapp.client import AsyncClient
from chatapp.client import Away
from chatapp.client import Refused
from chatapp.client import Unauthenticated
from chatapp.client import backoff
from chatapp.client import listening
from chatapp.client.event import Event
from chatapp.client.listening import Listening
from tests.client.conftest import Connect
from tests.client.heard import SOON_S
from tests.client.heard import Heard
from tests.support import own_loop
from tests.support.person import Person
from tests.support.processes import wait_until
from tests.support.service import Service
from tests.support.tcp_proxy import TcpProxy


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test need not be as patient as a program."""
    monkeypatch.setattr(backoff, "LONGEST_S", 0.5)


@pytest.fixture
def hasty(eager: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "READY_WITHIN_S", 1.0)
    monkeypatch.setattr(listening, "STREAM_AGAIN_S", 3.0)


def test_events_come_as_the_contract_has_them(connect: Connect, ada: Person, bob: Person, room: str) -> None:
    client = connect(ada.url, bob.token)
    with Heard(client.listen([room])) as heard:
        heard.until_ready()
        message = ada.send(room, "hello")
        ada.http.patch(f"/messages/{message['id']}", json={"body": "hello again"})
        ada.http.post(f"/rooms/{room}/typing", json={"typing": True})
        wait_until(lambda: {"message.updated", "typing"} <= set(heard.types()), SOON_S)
        created, updated, typing = (
            next(event for event in heard.events if event.type == type_)
            for type_ in ("message.created", "message.updated", "typing")
        )
        assert (created.room, created.cursor, created.message.id) == (room, message["cursor"], message["id"])
        assert (updated.message.body, updated.message.edited_at is not None) == ("hello again", True)
        assert (typing.cursor, typing.data["user"]["id"]) == (None, ada.id)
        assert not {"ready", "heartbeat", "closing"} & set(heard.types())


@pytest.mark.usefixtures("eager")
def test_through_planned_ends_cuts_and_a_restart(
    connect: Connect, ada: Person, own_room: str, proxy: TcpProxy, service: Service, request: pytest.FixtureRequest
) -> None:
    client = connect(proxy.url, ada.token)
    # A polite restart for the one, kill -9 for the other; it takes several seconds.
    restart = service.restart if request.node.callspec.params["connect"] == "threads" else service.kill_workers
    said: list[str] = []

    def say(*bodies: str) -> None:
        for body in bodies:
            ada.send(own_room, body)
        said.extend(bodies)

    with Heard(client.listen([own_room])) as heard:
        heard.until_ready()
        say("1", "2")
        heard.until(*said)
        proxy.cut_now()
        say("3")
        heard.until(*said)
        proxy.cut()
        say("4", "5")
        proxy.restore()
        heard.until(*said)
        restart()
        wait_until(service.ready)
        say("6")
        heard.until(*said)
        # A stream of this service lasts three seconds.
        opened_s = heard.listener._listening._opened_s
        wait_until(lambda: heard.listener._listening._opened_s > opened_s, SOON_S, "another stream")
        say("7")
        heard.until(*said)


@pytest.mark.usefixtures("hasty")
def test_by_poll_where_a_proxy_holds_streams_back_and_by_stream_again(
    connect: Connect, ada: Person, own_room: str, proxy: TcpProxy
) -> None:
    proxy.mute_streams()
    client = connect(proxy.url, ada.token)
    with Heard(client.listen([own_room])) as heard:
        heard.until_ready()
        assert heard.listener.transport == "poll"
        ada.send(own_room, "1")
        ada.send(own_room, "2")
        heard.until("1", "2")
        proxy.heal()
        ada.send(own_room, "3")
        # The poll that is open is answered, and then it is time for another try.
        wait_until(lambda: ada.send(own_room, "x") and heard.listener.transport == "stream", SOON_S)
        count = len(heard.bodies())
        ada.send(own_room, "last")
        wait_until(lambda: heard.bodies()[-1] == "last", SOON_S)
        assert heard.bodies()[:3] == ["1", "2", "3"]
        assert len(heard.bodies()) >= count
        assert heard.bodies() == [one["body"] for one in ada.history(own_room)]


@pytest.mark.usefixtures("hasty")
def test_a_gateway_that_answers_for_the_service(connect: Connect, ada: Person, own_room: str, proxy: TcpProxy) -> None:
    client = connect(proxy.url, ada.token)
    with Heard(client.listen([own_room])) as heard:
        heard.until_ready()
        for status, body in (
            (502, b"<h1>Bad gateway</h1>"),
            (200, b"<h1>Sign in to the hotel's network</h1>"),
            (204, b""),
        ):
            proxy.answer_streams(status, body)
            seen = proxy.stream_answers
            proxy.cut_now()
            wait_until(lambda seen=seen: proxy.stream_answers > seen + 1, SOON_S)
        ada.send(own_room, "1")
        proxy.heal()
        heard.until("1")


@pytest.mark.parametrize("transport", ["stream", "poll"])
def test_a_kept_cursor_goes_on_behind_what_was_handled(
    connect: Connect,
    ada: Person,
    own_room: str,
    file: Path,
    proxy: TcpProxy,
    transport: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listening, "READY_WITHIN_S", 0.5)
    proxy.mute_streams(transport == "poll")
    client = connect(proxy.url, ada.token, outbox=file)
    start = ada.page(own_room)["cursor"]
    for number in range(6):
        ada.send(own_room, f"{number}")
    taken = []
    for event in client.listen([own_room], since=start, keep="robot"):
        if event.type == "message.created":
            taken.append(event.message.body)
            # Left in the middle of the third: it was not handled.
            if len(taken) == 3:
                break
    client.close()
    client = connect(proxy.url, ada.token, outbox=file)
    with Heard(client.listen([own_room], since="0-0", keep="robot")) as heard:
        heard.until("2", "3", "4", "5")
        assert heard.listener.transport == transport
    with Heard(client.listen([own_room], since=start, keep="another")) as heard:
        heard.until("0", "1", "2", "3", "4", "5")


def test_where_it_begins_now_is_kept_before_the_first_event(
    connect: Connect, ada: Person, own_room: str, file: Path
) -> None:
    client = connect(ada.url, ada.token, outbox=file)
    with Heard(client.listen([own_room], keep="robot")) as heard:
        heard.until_ready()
    client.close()
    ada.send(own_room, "meanwhile")
    client = connect(ada.url, ada.token, outbox=file)
    with Heard(client.listen([own_room], keep="robot")) as heard:
        heard.until("meanwhile")


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("transport", ["stream", "poll"])
def test_a_cursor_that_was_never_given_is_a_reset(
    connect: Connect, ada: Person, own_room: str, proxy: TcpProxy, transport: str
) -> None:
    proxy.mute_streams(transport == "poll")
    client = connect(proxy.url, ada.token)
    with Heard(client.listen([own_room], since="9763781234567-0")) as heard:
        wait_until(lambda: "reset" in heard.types(), SOON_S)
        ada.send(own_room, "after")
        heard.until("after")
        assert heard.types().count("reset") == 1


def test_what_can_never_be_heard_is_said(connect: Connect, ada: Person, eve: Person, service: Service) -> None:
    private = ada.create_room("private")
    for token, since, rooms, kind, code in (
        ("no-token-at-all", None, None, Unauthenticated, "unauthenticated"),
        (eve.token, None, [private], Refused, "not_found"),
        (eve.token, "no-cursor", None, Refused, "invalid_cursor"),
    ):
        heard = Heard(connect(service.url, token).listen(rooms, since=since))
        error = heard.until_ended()
        assert isinstance(error, kind)
        assert error.code == code


def test_a_session_that_ends_ends_the_listening(connect: Connect, service: Service) -> None:
    with Person(service.url, "Gone") as gone:
        heard = Heard(connect(service.url, gone.token).listen())
        heard.until_ready()
        gone.http.request("DELETE", "/session")
        assert isinstance(heard.until_ended(), Unauthenticated)


def test_patience_ends_and_closing_ends_at_once(connect: Connect, ada: Person, proxy: TcpProxy) -> None:
    client = connect(proxy.url, ada.token)
    heard = Heard(client.listen(patience=0.5))
    heard.until_ready()
    waiting = Heard(client.listen())
    waiting.until_ready()
    proxy.cut()
    assert isinstance(heard.until_ended(), Away)
    proxy.restore()
    client.close()
    assert waiting.until_ended() is not None


def test_an_event_that_comes_again_is_given_once() -> None:
    def event(cursor: str | None, type_: str = "message.created", **data: object) -> Event:
        return Event.of({"type": type_, "cursor": cursor, "room": "general", **data})

    one, two = event("5-0", message={"id": "a"}), event("6-0", message={"id": "b"})
    unpublished, signal = event(None, message={"id": "c"}), event(None, "typing")
    following = Listening(None, None, None, None, lambda _: None)
    given = [told for each in (one, two, one, unpublished, signal, signal, two) for told in following._take(each)]
    assert given == [one, two, signal, signal]


def test_a_reset_moves_the_position_only_once_it_was_handled() -> None:
    following = Listening(None, "9-0", None, None, lambda _: None)
    assert list(following._take(Event.of({"type": "ready", "cursor": "5-0"}))) == []
    assert following.cursor == "9-0"
    giving = following._take(Event.of({"type": "reset", "cursor": "5-0"}))
    assert isinstance(next(giving), Event)
    assert following.cursor == "9-0"
    assert list(giving) == []
    assert following.cursor == "5-0"


@pytest.mark.usefixtures("eager")
def test_of_several_rooms_one_may_be_lost(
    connect: Connect, ada: Person, bob: Person, file: Path, proxy: TcpProxy
) -> None:
    stays, goes = ada.create_room(), ada.create_room("private")
    ada.http.put(f"/rooms/{goes}/members/{bob.id}")
    client = connect(proxy.url, bob.token, outbox=file)
    with Heard(client.listen([stays, goes], keep="robot")) as heard:
        heard.until_ready()
        bob.http.request("DELETE", f"/rooms/{goes}/members/me")
        proxy.cut_now()
        ada.send(stays, "1")
        heard.until("1")
    client.close()
    client = connect(proxy.url, bob.token, outbox=file)
    with Heard(client.listen([stays, goes], keep="robot")) as heard:
        ada.send(stays, "2")
        wait_until(lambda: "2" in heard.bodies(), SOON_S)
    # Where none is left, it ends.
    assert isinstance(Heard(client.listen([goes], keep="robot")).until_ended(), Refused)


def test_a_position_is_kept_in_a_file_or_not_at_all(connect: Connect, ada: Person) -> None:
    with pytest.raises(ValueError, match="outbox file"):
        connect(ada.url, ada.token).listen(keep="robot")


def test_a_task_that_is_called_away_from_waiting_loses_nothing(ada: Person, own_room: str) -> None:
    async def listen() -> list[str]:
        taken: list[str] = []
        async with AsyncClient(ada.url, ada.token) as client, client.listen([own_room]) as listener:
            while len(taken) < 10:
                # Shorter than anything takes, and longer, in turn.
                for seconds in (0.0, 0.001, 0.01, 0.2):
                    with suppress(TimeoutError):
                        async with asyncio.timeout(seconds):
                            event = await anext(listener)
                            if event.type == "message.created":
                                taken.append(event.message.body)
                if listener.cursor is not None and client.waiting == 0 and len(taken) < 10:
                    client.send(own_room, "x", local_id=f"called-away-{own_room[-8:]}-{len(taken)}")
        return taken

    assert own_loop.run(asyncio.wait_for(listen(), SOON_S)) == [one["body"] for one in ada.history(own_room)]
