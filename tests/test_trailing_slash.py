"""One slash behind an address changes nothing."""

from urllib.parse import quote

import httpx
import pytest

from tests.conftest import Start
from tests.support.person import Person
from tests.support.person import new_local_id
from tests.support.service import Service
from tests.test_identity import SECRET
from tests.test_identity import token

PAGES = ("/rooms/general", "/healthz", "/readyz", "/static/js/page/main.js")
READ = (
    "/session",
    "/rooms",
    "/rooms/general",
    "/rooms/general/members",
    "/rooms/general/messages",
    "/events/poll?wait=0",
)


def test_pages_and_health(service: Service) -> None:
    for path in PAGES:
        with_slash = httpx.get(f"{service.url}{path}/")
        assert with_slash.status_code == 200
        assert with_slash.content == httpx.get(f"{service.url}{path}").content
    assert httpx.get(f"{service.url}/nowhere/").status_code == 404
    assert httpx.get(f"{service.url}/rooms/general/%2F").status_code == 404


@pytest.mark.parametrize("path", READ)
def test_what_is_read(ada: Person, path: str) -> None:
    address, question, query = path.partition("?")
    answer = ada.http.get(f"{address}/{question}{query}")
    assert answer.status_code == 200
    assert answer.json().keys() == ada.http.get(path).json().keys()


def test_what_has_a_body(ada: Person) -> None:
    room = f"slash-{new_local_id()[:8].lower().replace('_', 'x')}"
    assert ada.http.post("/rooms/", json={"name": room}).status_code == 201
    message = {"localId": new_local_id(), "body": "with a slash"}
    sent = ada.http.post(f"/rooms/{room}/messages/", json=message)
    assert (sent.status_code, sent.json()["body"]) == (201, "with a slash")
    assert "RateLimit" in sent.headers
    again = ada.http.post(f"/rooms/{room}/messages", json=message)
    assert again.headers["Idempotent-Replayed"] == "true"
    batch = {"messages": [{"room": room, "localId": new_local_id(), "body": "x"}]}
    assert ada.http.post("/messages/batch/", json=batch).status_code == 200
    assert ada.http.post("/events/ack/", json={"cursor": "0-0"}).status_code == 204
    assert ada.http.put(f"/rooms/{room}/members/me/").status_code == 200
    assert httpx.post(f"{ada.url}/api/v1/session/", json={"name": "Slash"}).status_code == 201


def test_a_stream(ada: Person) -> None:
    with ada.http.stream("GET", "/events/stream/") as stream:
        assert stream.status_code == 200
        assert next(stream.iter_lines()).startswith("id: ")


def test_a_slash_at_the_end_of_an_id_is_a_part_of_it(start_service: Start) -> None:
    host = start_service("sqlite", CHATAPP_JWT_SECRET=SECRET)
    with (
        Person(host.url, token=token("https://idp.example/users/")) as odd,
        Person(host.url, token=token("https://idp.example/users")) as other,
    ):
        room = other.create_room("private")
        path = f"/rooms/{room}/members"
        assert other.http.put(f"{path}/{quote(odd.id, safe='')}").json()["id"] == odd.id
        assert other.http.put(f"{path}/{quote(odd.id, safe='')}/").json()["id"] == odd.id
        assert {one["id"] for one in other.http.get(f"{path}/").json()["members"]} == {odd.id, other.id}
