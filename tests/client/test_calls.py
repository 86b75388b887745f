"""The plain calls."""

import threading
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer

import pytest

from chatapp.client import Away
from chatapp.client import Refused
from chatapp.client import asking
from tests.client.conftest import Connect
from tests.support.person import Person
from tests.support.person import new_local_id
from tests.support.tcp_proxy import TcpProxy


def test_rooms_and_people(connect: Connect, ada: Person, bob: Person, eve: Person) -> None:
    client = connect(ada.url, ada.token)
    name = f"room-{new_local_id()[:8].lower().replace('_', 'x')}".rstrip("-")
    made = client.create_room(name, "A title", private=True)
    assert (made.name, made.title, made.visibility, made.owner, made.member) == (
        name,
        "A title",
        "private",
        ada.id,
        True,
    )
    # As after an answer that was lost.
    assert client.create_room(name).name == name
    with pytest.raises(Refused) as refused:
        connect(eve.url, eve.token).create_room(name)
    assert (refused.value.code, refused.value.status) == ("room_exists", 409)
    client.invite(name, bob.id)
    his = connect(bob.url, bob.token)
    assert name in [room.name for room in his.rooms()]
    assert len(his.rooms(limit=1)) == 1
    assert his.room(name).member_count == 2
    his.leave(name)
    with pytest.raises(Refused, match="not_found"):
        his.room(name)
    public = bob.create_room()
    client.join(public)
    assert client.room(public).member
    assert client.direct(bob.id).title == "Bob"
    assert client.me().id == ada.id


def test_messages(connect: Connect, ada: Person, bob: Person, room: str) -> None:
    client = connect(ada.url, ada.token)
    for number in range(5):
        client.send(room, f"{number}", {"number": number})
    assert client.flush(10)
    page = client.history(room, limit=2)
    assert ([one.body for one in page.messages], page.has_more) == (["3", "4"], True)
    older = client.history(room, before=page.before)
    assert [one.body for one in older.messages] == ["0", "1", "2"]
    newer = client.history(room, after=older.messages[0].cursor, limit=3)
    assert [one.body for one in newer.messages] == ["1", "2", "3"]
    first, last = older.messages[0], page.messages[-1]
    edited = client.edit(first.id, body="new", data=None)
    assert (edited.body, edited.data, edited.edited_at is not None) == ("new", None, True)
    gone = client.withdraw(last.id)
    assert (gone.body, gone.deleted_at is not None) == ("", True)
    found = client.message(first.id)
    assert (found.body, found.delivered_to, found.read_by) == ("new", 0, 0)
    reader = connect(bob.url, bob.token)
    reader.mark_read(room, last.cursor)
    assert reader.room(room).unread == 0
    assert client.message(first.id).read_by == 1
    with bob.stream(rooms=room) as stream:
        stream.until("ready")
        client.typing(room)
        assert stream.until("typing").data["typing"] is True
        client.typing(room, False)
        assert stream.until("typing").data["typing"] is False


def test_a_service_that_is_away_is_waited_for_within_a_bound(
    connect: Connect, ada: Person, own_room: str, proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connect(f"{proxy.url}/", ada.token)
    proxy.cut()
    monkeypatch.setattr(asking, "PATIENCE_S", 0.5)
    with pytest.raises(Away, match="GET rooms/"):
        client.history(own_room)
    monkeypatch.setattr(asking, "PATIENCE_S", 20.0)
    proxy.restore()
    assert client.history(own_room).messages == []


def test_an_address_that_is_another_site_is_named(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PATIENCE_S", 0.5)
    # It answers every request with a page of its own.
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        client = connect(f"http://127.0.0.1:{site.server_port}/chat", "token")
        with pytest.raises(Away, match=r"answered 501 \(text/html.*is the URL right"):
            client.rooms()
        client.close()
        site.shutdown()
