"""The documents of the API: they stand, they are whole, and real answers and events are what they say."""

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask import Flask
from openapi_spec_validator import validate

from chatapp.receiving.closing import RETRY_MS
from chatapp.web import create_app
from chatapp.web.documents.openapi import openapi
from chatapp.web.documents.openapi import path_of
from chatapp.web.documents.openapi import routes
from chatapp.wire import event_types
from chatapp.wire.event_documents import CLOSING_REASONS
from chatapp.wire.event_documents import EVENTS
from tests.support.documents import Documented
from tests.support.documents import faults
from tests.support.documents import strict
from tests.support.person import Person
from tests.support.person import new_local_id
from tests.support.service import ROOT
from tests.support.service import Service
from tests.support.stream import EventStream

PARSE = """
import { Parser } from '@asyncapi/parser';
import { readFileSync } from 'node:fs';
const { document, diagnostics } = await new Parser().parse(readFileSync(0, 'utf8'));
console.log(JSON.stringify({ understood: Boolean(document), diagnostics }));
"""
# What AsyncAPI's parser says of a document of 3.0: there is 3.1.
EXPECTED = {"asyncapi-latest-version"}


@pytest.fixture(scope="module")
def service(start_service: Any) -> Service:
    found: Service = start_service("sqlite", CHATAPP_HEARTBEAT_SECONDS="1")
    return found


@pytest.fixture
def openapi_document(service: Service) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{service.url}/api/v1/openapi.json").json()
    return found


@pytest.fixture
def asyncapi_document(service: Service) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{service.url}/api/v1/asyncapi.json").json()
    return found


def test_openapi_is_valid(openapi_document: dict[str, Any]) -> None:
    assert openapi_document["openapi"].startswith("3.1")
    validate(openapi_document)


def test_asyncapi_is_valid(asyncapi_document: dict[str, Any]) -> None:
    node = ["node", "--input-type=module", "-e", PARSE]
    said = subprocess.run(node, input=json.dumps(asyncapi_document), text=True, capture_output=True, cwd=ROOT)
    assert said.returncode == 0, said.stderr
    answer = json.loads(said.stdout)
    assert answer["understood"]
    assert {one["code"] for one in answer["diagnostics"]} <= EXPECTED, answer["diagnostics"]


@pytest.mark.parametrize("name", ["openapi.json", "asyncapi.json"])
def test_a_document_is_there_for_everybody_and_asked_for_again_by_its_etag(service: Service, name: str) -> None:
    url = f"{service.url}/api/v1/{name}"
    answer = httpx.get(url)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.headers["Cache-Control"] == "no-cache"
    again = httpx.get(url, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = httpx.head(url)
    assert (head.status_code, head.headers["ETag"], head.content) == (200, answer.headers["ETag"], b"")
    assert service.settings.get("SECRET_KEY", "no secret") not in answer.text


def test_every_route_stands_in_the_document(openapi_document: dict[str, Any], tmp_path: Path) -> None:

    app = create_app()
    there = {(path, method.upper()) for path, of in openapi_document["paths"].items() for method in of}
    assert there == {(path_of(rule), method) for rule, method in routes(app)}
    names = [operation["operationId"] for of in openapi_document["paths"].values() for operation in of.values()]
    assert len(set(names)) == len(names)


def test_a_route_without_a_description_is_found() -> None:
    app = Flask("bare")
    app.add_url_rule("/api/v1/bare", view_func=lambda: "")
    with pytest.raises(LookupError, match="has no description"):
        openapi(app)


def test_the_server_is_where_the_proxy_says(start_service: Any) -> None:
    service = start_service("sqlite", CHATAPP_PROXIES="1")
    said = {"X-Forwarded-Host": "chat.example", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/talk"}
    calls = httpx.get(f"{service.url}/api/v1/openapi.json", headers=said).json()
    assert calls["servers"] == [{"url": "/talk/api/v1"}]
    events = httpx.get(f"{service.url}/api/v1/asyncapi.json", headers=said).json()
    assert events["servers"] == {"here": {"host": "chat.example", "protocol": "https", "pathname": "/talk"}}
    # Whoever asked first.
    for headers, host, root in (
        (said, "https://chat.example", "/talk"),
        ({}, service.url, ""),
        (said, "https://chat.example", "/talk"),
    ):
        page = httpx.get(f"{service.url}/docs", headers=headers).text
        assert f"API={host}{root}/api/v1" in page
        assert set(re.findall(r'="([^"#]*)/(?:api|static)/', page)) == {root}


def test_the_page_shows_every_call_and_event_and_needs_nothing_from_elsewhere(
    service: Service, openapi_document: dict[str, Any]
) -> None:
    answer = httpx.get(f"{service.url}/docs")
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert policy == httpx.get(service.url).headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "<script" not in answer.text
    assert " style=" not in answer.text
    loaded = re.findall(r'<link[^>]* href="([^"]+)"', answer.text)
    assert loaded
    assert all(one.startswith("/static/") and httpx.get(service.url + one).status_code == 200 for one in loaded)
    for path, of in openapi_document["paths"].items():
        for method, operation in of.items():
            assert f'<b class="{method}">{method.upper()}</b> <code>{path}</code>' in answer.text
            assert f'<article id="{operation["operationId"]}">' in answer.text
    assert all(f"<h4><code>{type_}</code></h4>" in answer.text for type_ in EVENTS)
    there = set(re.findall(r' id="([^"]+)"', answer.text))
    assert set(re.findall(r'href="#([^"]+)"', answer.text)) <= there
    again = httpx.get(f"{service.url}/docs", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_the_documents_are_open_to_the_origins_that_are_allowed(start_service: Any) -> None:
    service = start_service("sqlite", CHATAPP_ORIGINS="https://app.example")
    for origin, allowed in (("https://app.example", "https://app.example"), ("https://evil.example", None)):
        answer = httpx.get(f"{service.url}/api/v1/openapi.json", headers={"Origin": origin})
        assert (answer.status_code, answer.headers.get("Access-Control-Allow-Origin")) == (200, allowed)


def test_every_type_that_the_code_says_is_in_the_document(asyncapi_document: dict[str, Any]) -> None:
    said = set(said_types())
    assert {"ready", "heartbeat", "closing", "reset", "message.created", "presence", "typing"} <= said
    assert said == set(EVENTS)
    assert said == asyncapi_document["components"]["messages"].keys() - {"poll.answer"}
    assert asyncapi_document["channels"]["stream"]["messages"].keys() == said


def test_every_reason_for_closing_is_in_the_document() -> None:
    assert set(CLOSING_REASONS) == RETRY_MS.keys()


def said_types() -> Iterator[str]:
    """The types of events in the code: those of the log, words of the same form, and the first argument of whatever
    makes an event."""
    yield from event_types.ALL
    makers = {"Signal", "_own", "_event", "frame"}
    for room in ("eventlog", "people", "sending", "receiving"):
        for path in (ROOT / "chatapp" / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    before, _, after = node.value.partition(".")
                    if before in {"message", "member", "room"} and after.isidentifier():
                        yield node.value
                elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                    name = getattr(node.func, "id", getattr(node.func, "attr", None))
                    if name in makers:
                        yield str(node.args[0].value)


def test_answers_and_events_are_what_the_documents_say(
    service: Service, openapi_document: dict[str, Any], asyncapi_document: dict[str, Any]
) -> None:
    with Documented(openapi_document) as documented:
        ada, bob = (documented.watch(Person(service.url, name)) for name in ("Ada", "Bob"))
        with ada.stream() as watching, bob.stream(since="0-0") as late:
            watching.until("ready")
            story(service, ada, bob, watching)
            watching.until("room.deleted", 20)
            watching.until("heartbeat")
            ada.http.delete("/session")
            events = [*watching.seen, *watching.to_the_end()]
            late.until("room.deleted", 20)
            events += late.seen
        with bob.stream(since="99999999999999-0") as reset:
            reset.until("reset")
            events += reset.seen
    schemas = strict(asyncapi_document["components"]["schemas"])
    for event in events:
        payload = asyncapi_document["components"]["messages"][event.type]["payload"]
        assert faults({**payload, "components": {"schemas": schemas}}, event.data) == [], event.type
    assert {event.type for event in events} == EVENTS.keys()
    assert documented.unseen() == set()


def story(service: Service, ada: Person, bob: Person, watching: EventStream) -> None:
    """Each call of the API at least once, and several refusals; until all that they lead to was told to Ada."""
    name = f"story-{new_local_id()[:8].lower().replace('_', '0').replace('-', '0')}"
    ada.http.get("/openapi.json")
    ada.http.get("/asyncapi.json")
    ada.http.get("/rooms?limit=5")
    ada.http.post("/rooms", json={"name": name, "title": "A story"})
    ada.http.post("/rooms", json={"name": name})
    ada.http.post("/rooms", json={"name": "Not a name"})
    ada.http.post("/rooms", content=b"{", headers={"Content-Type": "application/json"})
    ada.http.get(f"/rooms/{name}")
    ada.http.get("/rooms/nowhere")
    bob.http.put(f"/rooms/{name}/members/me")
    first = ada.send(name, "hello")
    ada.http.post(f"/rooms/{name}/messages", json={"localId": first["localId"], "body": "hello"})
    ada.http.post(f"/rooms/{name}/messages", json={"localId": first["localId"], "body": "another"})
    ada.http.post(f"/rooms/{name}/messages", json={"localId": new_local_id(), "body": "x", "data": {"a": [1, {}]}})
    reply = ada.http.post(f"/rooms/{name}/messages", json={"localId": new_local_id(), "body": "", "growing": True})
    grows = f"/messages/{reply.json()['id']}"
    with ada.stream() as growth:
        growth.until("ready")
        ada.http.post(f"{grows}/append", json={"at": 0, "text": "It grows"})
        growth.until("message.grew")
    ada.http.post(f"{grows}/append", json={"at": 3, "text": "nowhere"})
    for durable in (name, grows.removeprefix("/")):
        answer = ada.http.get(f"/durable/{durable}")
        tail = answer.headers["Stream-Next-Offset"]
        ada.http.get(f"/durable/{durable}", headers={"If-None-Match": answer.headers["ETag"]})
        ada.http.get(f"/durable/{durable}", params={"offset": tail, "live": "long-poll", "timeout": 0})
        ada.http.get(f"/durable/{durable}", params={"offset": "here"})
    ada.http.post(f"{grows}/finish", json={})
    local_id = new_local_id()
    ada.batch({"room": name, "localId": local_id, "body": "in a batch"}, {"room": name}, {})
    ada.http.get("/messages/status", params=[("localId", local_id), ("localId", new_local_id())])
    etag = ada.http.get(f"/messages/{first['id']}").headers["ETag"]
    ada.http.get(f"/messages/{first['id']}", headers={"If-None-Match": etag})
    ada.http.patch(f"/messages/{first['id']}", json={"body": "hello, all"})
    bob.http.patch(f"/messages/{first['id']}", json={"body": "not mine"})
    ada.http.get(f"/rooms/{name}/messages?limit=2")
    ada.http.get(f"/rooms/{name}/members?limit=1")
    bob.http.post("/events/ack", json={"cursor": first["cursor"]})
    watching.until("message.status", 20)
    bob.http.post(f"/rooms/{name}/read", json={"cursor": first["cursor"]})
    bob.http.post(f"/rooms/{name}/typing", json={"typing": True})
    ada.http.post(f"/rooms/{name}/read", json={"cursor": first["cursor"]})
    ada.http.get(f"/rooms/{name}/receipts")
    ada.http.delete(f"/messages/{first['id']}")
    ada.http.get("/events/poll", params={"since": "0-0", "limit": 500})
    ada.http.get("/events/poll", params={"since": "here"})
    bob.http.get("/events/poll", params={"since": "99999999999999-0", "wait": 0})
    ada.http.put(f"/direct/{bob.id}")
    ada.http.put("/direct/me")
    ada.http.patch(f"/rooms/{name}", json={"title": "The story"})
    with ada.stream() as stream:
        stream.until("ready")
        bob.http.delete(f"/rooms/{name}/members/me")
        stream.until("member.left")
    bob.http.put(f"/rooms/{name}/members/me")
    ada.http.delete(f"/rooms/{name}")
    httpx.get(f"{service.url}/api/v1/session")


def test_an_address_names_the_methods_that_it_takes(service: Service) -> None:
    for path, takes in (("batch", {"POST", "OPTIONS"}), ("status", {"GET", "HEAD", "OPTIONS"})):
        answer = httpx.request("TRACE", f"{service.url}/api/v1/messages/{path}")
        assert (answer.status_code, set(answer.headers["Allow"].split(", "))) == (405, takes)


def test_a_long_number_in_a_batch_fails_with_its_message(service: Service) -> None:
    with Person(service.url) as ada:
        good = {"room": "general", "localId": new_local_id(), "body": "good"}
        results = ada.batch({"n": 10**40}, good).json()["results"]
    assert [one["status"] for one in results] == ["failed", "sent"]


def test_the_place_of_a_page_is_any_that_has_its_form(service: Service) -> None:
    with Person(service.url) as ada:
        for after, status in (("MQ.Zg", 200), ("_w._w", 200), (".", 200), ("AA.AA", 200), ("MQ", 400), ("M.Z", 400)):
            for path in ("/rooms", "/rooms/general/members"):
                assert ada.http.get(path, params={"after": after}).status_code == status, after
