"""Rooms and who is in them; and that a stranger learns nothing at any door."""

import secrets
from base64 import urlsafe_b64encode
from typing import Any

import httpx
import pytest

from tests.support.person import Person
from tests.support.person import new_local_id
from tests.support.service import Service

JSON = {"Content-Type": "application/json"}


def test_a_room_is_made_and_listed(ada: Person, eve: Person) -> None:
    answer = ada.http.post(
        "/rooms", json={"name": f"garden-{new_local_id()[:8].lower().replace('_', 'x')}", "title": "Der Garten"}
    )
    assert answer.status_code == 201, answer.text
    room = answer.json()
    assert (room["title"], room["visibility"], room["member"], room["owner"]) == ("Der Garten", "public", True, ada.id)
    assert (room["memberCount"], room["lastMessage"]) == (1, None)
    assert (room["readCursor"], room["unread"]) == (None, 0)
    assert room["onlineCount"] == 0
    again = ada.http.post("/rooms", json={"name": room["name"]})
    assert (again.status_code, again.json()["code"]) == (409, "room_exists")
    sent = ada.send(room["name"], "newest")
    seen = eve.http.get(f"/rooms/{room['name']}").json()
    assert (seen["member"], seen["lastMessage"]["id"]) == (False, sent["id"])


@pytest.mark.parametrize(
    "room",
    [
        {"name": "Upper"}, {"name": "-x"}, {"name": ""}, {"name": "x" * 65}, {"name": "dm-x"}, {"name": "a b"},
        {"name": "x", "visibility": "direct"}, {"name": "x", "visibility": "secret"}, {"name": "x", "titel": "y"},
        {"name": "x", "title": "a\x00b"}, {"name": "x", "title": 5}, {"name": 5}, {}, [], None, "x",
    ],
)  # fmt: skip
def test_a_wrong_room_is_refused(ada: Person, room: Any) -> None:
    answer = ada.http.post(
        "/rooms", content=__import__("json").dumps(room), headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_message")


def test_the_list_pages_own_rooms_first(service: Service, ada: Person, eve: Person) -> None:
    mine = {ada.create_room() for _ in range(3)}
    others = {eve.create_room() for _ in range(2)}
    hidden = eve.create_room("private")
    names: list[str] = []
    after = None
    while True:
        query = {"limit": "2", **({"after": after} if after else {})}
        page = ada.http.get("/rooms", params=query).json()
        names += [one["name"] for one in page["rooms"]]
        assert page["cursor"]
        after = page["after"]
        if after is None:
            break
    assert len(names) == len(set(names))
    assert mine | {"general"} == set(names[:4])
    assert others <= set(names[4:])
    assert hidden not in names
    wrong = ada.http.get("/rooms", params={"after": "!"})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid_parameter")


def test_names_sort_byte_by_byte_on_every_database(ada: Person, eve: Person) -> None:
    """A locale passes over the hyphen: then pages that are asked for by name would leave rooms out."""
    for name in ("a", "a-b", "a0", "ab", "a-", "a-0-c", "a0-"):
        eve.create_room(name=f"{name}{secrets.token_hex(4)}")
    names: list[str] = []
    page: dict[str, Any] = {"after": ""}
    while page["after"] is not None:
        query = {"limit": "3", **({"after": page["after"]} if page["after"] else {})}
        page = ada.http.get("/rooms", params=query).json()
        names += [one["name"] for one in page["rooms"] if not one["member"]]
    assert len(names) > 6
    assert names == sorted(set(names))


def test_members_join_and_leave(ada: Person, bob: Person, eve: Person, room: str) -> None:
    members = eve.http.get(f"/rooms/{room}/members").json()["members"]
    assert [(one["id"], one["name"]) for one in members] == [(ada.id, "Ada"), (bob.id, "Bob")]
    assert {"joinedAt", "online", "lastSeenAt"} <= members[0].keys()
    assert eve.post(room, "not yet").status_code == 403
    eve.join(room)
    eve.join(room)
    eve.send(room, "now")
    assert eve.http.delete(f"/rooms/{room}/members/me").status_code == 204
    assert eve.http.delete(f"/rooms/{room}/members/me").status_code == 204
    assert eve.post(room, "no more").json()["code"] == "forbidden"
    # Nobody is put into a public room by others, and only the owner removes.
    assert bob.http.put(f"/rooms/{room}/members/{eve.id}").status_code == 403
    assert bob.http.delete(f"/rooms/{room}/members/{ada.id}").status_code == 403
    ada.remove(room, bob)
    assert bob.post(room, "removed").status_code == 403


def test_members_of_a_private_room_invite(ada: Person, bob: Person, eve: Person, private_room: str) -> None:
    bob.invite(private_room, eve)
    eve.send(private_room, "thank you")
    assert ada.http.put(f"/rooms/{private_room}/members/u_nobody").status_code == 404


def every_door(person: Person, room: str, message: dict[str, Any]) -> list[tuple[str, httpx.Response]]:
    """Each way to ask for something of a room."""
    http, id_ = person.http, message["id"]
    calls = [
        ("GET", f"/rooms/{room}", {}),
        ("GET", f"/rooms/{room}/members", {}),
        ("GET", f"/rooms/{room}/messages", {}),
        ("GET", f"/rooms/{room}/messages?before={message['cursor']}", {}),
        ("POST", f"/rooms/{room}/messages", {"json": {"localId": new_local_id(), "body": "let me in"}}),
        ("PATCH", f"/rooms/{room}", {"json": {"title": "Mine now"}}),
        ("DELETE", f"/rooms/{room}", {}),
        ("POST", f"/rooms/{room}/typing", {"json": {"typing": True}}),
        ("POST", f"/rooms/{room}/read", {"json": {"cursor": message["cursor"]}}),
        ("GET", f"/rooms/{room}/receipts", {}),
        ("PUT", f"/rooms/{room}/members/me", {}),
        ("PUT", f"/rooms/{room}/members/{person.id}", {}),
        ("DELETE", f"/rooms/{room}/members/me", {}),
        ("GET", f"/events/stream?rooms={room}", {}),
        ("GET", f"/events/stream?rooms={room}&since=0-0", {"headers": {"Last-Event-ID": "0-0"}}),
        ("GET", f"/events/poll?rooms={room}&since=0-0&wait=0", {}),
        ("GET", f"/events/poll?rooms=general,{room}&since=0-0&wait=0", {}),
        ("POST", "/events/ack", {"json": {"cursor": message["cursor"], "rooms": [room]}}),
        ("GET", f"/messages/{id_}", {}),
        ("PATCH", f"/messages/{id_}", {"json": {"body": "changed"}}),
        ("POST", f"/messages/{id_}/append", {"json": {"at": 0, "text": "changed"}}),
        ("POST", f"/messages/{id_}/finish", {"json": {}}),
        ("DELETE", f"/messages/{id_}", {}),
    ]
    return [(f"{method} {path}", http.request(method, path, **options)) for method, path, options in calls]  # type: ignore[arg-type]


def told(answer: httpx.Response) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Everything in an answer that could tell one room from another."""
    headers = {
        name: value for name, value in answer.headers.items() if name not in ("date", "ratelimit", "x-request-id")
    }
    return answer.status_code, headers, answer.json()


def test_a_private_room_looks_like_an_absent_one_at_every_door(ada: Person, eve: Person, private_room: str) -> None:
    message = ada.send(private_room, "secret")
    absent = {**message, "id": "01900000-0000-7000-8000-000000000000"}
    foreign_answers = every_door(eve, private_room, message)
    absent_answers = every_door(eve, "no-such-room", absent)
    for (door, foreign), (_, missing) in zip(foreign_answers, absent_answers, strict=True):
        assert foreign.status_code == 404, door
        assert foreign.json()["code"] == "not_found"
        foreign_told, missing_told = told(foreign), told(missing)
        for document in (foreign_told[2], missing_told[2]):
            document.pop("localId", None)
        foreign_told[1].pop("content-length")
        missing_told[1].pop("content-length")
        assert foreign_told == missing_told, door
    results = eve.batch(
        {"room": private_room, "localId": new_local_id(), "body": "x"},
        {"room": "no-such-room", "localId": new_local_id(), "body": "x"},
    ).json()["results"]
    for result in results:
        result["problem"].pop("localId")
    assert results[0]["problem"] == results[1]["problem"]
    everything = eve.poll("0-0", wait=0, limit=1000)
    assert private_room not in str(everything)
    assert private_room not in str(eve.http.get("/rooms").json())


def test_who_left_reads_nothing_more_from_any_cursor(ada: Person, bob: Person, private_room: str) -> None:
    start = bob.cursor()
    message = ada.send(private_room, "while you were here")
    bob.http.delete(f"/rooms/{private_room}/members/me")
    for door, answer in every_door(bob, private_room, message):
        assert answer.status_code == 404, door
    for since in ("0-0", start):
        types = [one["type"] for one in bob.poll(since, wait=0, limit=1000)["events"] if one["room"] == private_room]
        assert not [one for one in types if one.startswith("message.")]


def test_whoever_may_read_a_room_now_reads_all_of_it(ada: Person, bob: Person, eve: Person, private_room: str) -> None:
    ada.send(private_room, "before Eve")
    ada.invite(private_room, eve)
    assert [one["body"] for one in eve.history(private_room)] == ["before Eve"]
    visitor = eve.page("general")
    assert "messages" in visitor


def test_a_direct_room_is_found_by_its_pair(ada: Person, bob: Person, eve: Person) -> None:
    answer = ada.http.put(f"/direct/{bob.id}")
    assert answer.status_code == 200, answer.text
    room = answer.json()
    assert room["name"].startswith("dm-")
    assert (room["visibility"], room["memberCount"], room["title"]) == ("direct", 2, "Bob")
    seen_by_bob = bob.http.put(f"/direct/{ada.id}").json()
    assert (seen_by_bob["name"], seen_by_bob["title"]) == (room["name"], "Ada")
    message = bob.send(room["name"], "just us")
    for door, refused in every_door(eve, room["name"], message):
        assert refused.status_code == 404, door
    added = ada.http.put(f"/rooms/{room['name']}/members/{eve.id}")
    assert (added.status_code, added.json()["code"]) == (403, "forbidden")
    assert ada.http.put("/direct/u_nobody").status_code == 404
    assert ada.http.put("/direct/me").status_code == 403
    assert room["name"] not in str(eve.http.get("/rooms").json())


@pytest.mark.parametrize("path", ["/rooms/x/presence", "/nothing"])
def test_later_work_answers_404(ada: Person, path: str) -> None:
    for method in ("GET", "POST"):
        answer = ada.http.request(method, path, json={} if method == "POST" else None)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_guest_who_signs_out_leaves_every_room(ada: Person, bob: Person, eve: Person, room: str) -> None:
    """Nobody can sign in as that guest again: what stays in the lists of members would be nobody."""
    direct = bob.http.put(f"/direct/{ada.id}").json()["name"]
    with ada.stream() as stream:
        stream.next()
        assert bob.http.delete("/session").status_code == 204
        left = {stream.until("member.left").data["room"] for _ in range(3)}
    assert left == {"general", room, direct}
    members = ada.http.get(f"/rooms/{room}/members").json()["members"]
    assert [one["id"] for one in members] == [ada.id]
    # What was said there still has a name.
    assert ada.http.get(f"/rooms/{direct}").json()["title"] == bob.name


def test_members_come_in_pages(ada: Person, bob: Person, eve: Person, room: str) -> None:
    eve.join(room)
    pages = []
    after = None
    while True:
        query = {"limit": "2", **({"after": after} if after else {})}
        page = ada.http.get(f"/rooms/{room}/members", params=query).json()
        pages.append([one["name"] for one in page["members"]])
        after = page["after"]
        if after is None:
            break
    assert pages == [["Ada", "Bob"], ["Eve"]]
    nul = urlsafe_b64encode(b'["1", "a\\u0000b"]').decode()
    for wrong in ("x", "WzFd", "WyJhIl0", "bnVsbA", "W1tbW1tb", nul):
        for path in (f"/rooms/{room}/members", "/rooms"):
            answer = ada.http.get(path, params={"after": wrong})
            assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")
