"""The cookie of a session: beside other cookies, other schemes, and other services of the same host."""

import json

import httpx
import pytest

from tests.conftest import Start
from tests.support.person import Person
from tests.support.person import new_local_id
from tests.support.raw_request import RawAnswer
from tests.support.raw_request import ask
from tests.support.service import Service

BASIC = "Authorization: Basic dXNlcjpwdw=="


@pytest.fixture(scope="module")
def plain(start_service: Start) -> Service:
    """The hot routes past gunicorn's WSGI."""
    return start_service("sqlite")


@pytest.fixture(scope="module")
def logged(start_service: Start) -> Service:
    """All by gunicorn's WSGI."""
    return start_service("sqlite", GUNICORN_CMD_ARGS="--access-logfile /dev/null")


@pytest.fixture(params=["plain", "logged"])
def either(request: pytest.FixtureRequest, plain: Service, logged: Service) -> Service:
    return plain if request.param == "plain" else logged


def everywhere(service: Service, *lines: str | bytes) -> list[int]:
    """The status of one request through Flask, and of one to each kind of hot address."""
    message = json.dumps({"localId": new_local_id(), "body": "by cookie"}).encode()
    return [
        ask(service.url, "GET", "/api/v1/session", *lines).status,
        ask(service.url, "GET", "/api/v1/events/poll", *lines).status,
        ask(service.url, "POST", "/api/v1/rooms/general/messages", *lines, body=message).status,
    ]


GOOD = [200, 200, 201]
REFUSED = [401, 401, 401]


def test_only_bearer_counts_as_the_header(either: Service) -> None:
    with Person(either.url) as ada:
        cookie = f"Cookie: chatapp_session={ada.token}"
        for other in (
            BASIC,
            "Authorization: Digest a=b, c=d",
            "Authorization: xyz",
            "Authorization:",
            "Authorization: =",
        ):
            assert everywhere(either, cookie, other) == GOOD
            assert everywhere(either, other) == REFUSED
        for malformed in (
            "Bearer",
            "bearer ",
            "Bearer:x",
            "Bearer a b",
            "Bearer,",
            "Bearer x,Bearer y",
            "Bearer nonsense",
        ):
            assert everywhere(either, cookie, f"Authorization: {malformed}") == REFUSED
        assert everywhere(either, BASIC, f"Authorization: bearer  {ada.token}") == GOOD


def test_a_sign_in_behind_basic_auth(either: Service) -> None:
    answer = ask(either.url, "POST", "/api/v1/session", BASIC, body=b'{"name": "Bo"}')
    assert answer.status == 201
    refused = ask(either.url, "POST", "/api/v1/session", "Authorization: Bearer", body=b'{"name": "Bo"}')
    assert refused.status == 401


ODD = (b"\x80\xff", b"a=\xe9\xa4", b'a="x;y=z', b";;;", b"=", b"nothing", b'"', b"=;=", b"chatapp_session", b"a=b,c=d")


@pytest.mark.parametrize("odd", ODD)
def test_odd_cookies_are_passed_over(either: Service, odd: bytes) -> None:
    with Person(either.url) as ada:
        good = f"chatapp_session={ada.token}".encode()
        assert everywhere(either, b"Cookie: " + odd) == REFUSED
        assert everywhere(either, b"Cookie: " + odd + b"; " + good) == GOOD
        assert everywhere(either, b"Cookie: " + good + b"; " + odd) == GOOD
        assert everywhere(either, b"Cookie: " + odd, b"Cookie: " + good) == GOOD
        assert everywhere(either, b"Cookie: " + good, b"Cookie: " + odd) == GOOD


def test_the_first_live_session_of_several_counts(either: Service) -> None:
    with Person(either.url) as ada, Person(either.url) as bob:
        ada.http.delete("/session")
        stale, good = f"chatapp_session={ada.token}", f"chatapp_session={bob.token}"
        assert everywhere(either, f"Cookie: {stale}; {good}") == GOOD
        assert everywhere(either, f"Cookie: {stale}", f"Cookie: {good}") == GOOD
        assert everywhere(either, f"Cookie: chatapp_session=x; chatapp_session=; {stale}; {good}") == GOOD
        many = "; ".join(f"chatapp_session={number}" for number in range(8))
        assert everywhere(either, f"Cookie: {many}; {good}") == REFUSED
        # A sign-in finds the session that may come back, wherever it stands; this one was signed out.
        answer = ask(either.url, "POST", "/api/v1/session", f"Cookie: x=y; {stale}", body=b'{"name": "Ada"}')
        assert answer.status == 201


def test_the_last_of_two_positions_counts(either: Service) -> None:
    with Person(either.url) as ada:
        cursor = ada.send("general", "then")["cursor"]
        for last in ({"Last-Event-ID": cursor}, {"last-event-id": f"0-0, {cursor}"}):
            with ada.stream(last_event_id="0-0", headers=last) as stream:
                assert stream.next().data["cursor"] == cursor


def session_cookies(answer: RawAnswer | httpx.Response) -> dict[str, str]:
    if isinstance(answer, httpx.Response):
        fields = answer.headers.get_list("Set-Cookie")
    else:
        lines = answer.head.split("\r\n")
        fields = [line.partition(":")[2].strip() for line in lines if line.lower().startswith("set-cookie:")]
    return {field.partition("=")[0]: field.partition("=")[2] for field in fields}


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("chat.example", "chatapp_session"),
        ("chat.example:80", "chatapp_session"),
        ("chat.example:443", "chatapp_session"),
        ("chat.example:8201", "chatapp_session_8201"),
        ("[::1]:8201", "chatapp_session_8201"),
        ("[::1]", "chatapp_session"),
        ("\xff", "chatapp_session"),
        ("chat.example:x", "chatapp_session"),
    ],
)
def test_the_name_tells_services_of_a_host_apart(plain: Service, host: str, name: str) -> None:
    answer = ask(plain.url, "POST", "/api/v1/session", f"Host: {host}", body=b'{"name": "Ada"}')
    assert list(session_cookies(answer)) == [name]
    token = json.loads(answer.body)["token"]
    assert everywhere(plain, f"Host: {host}", f"Cookie: {name}={token}") == GOOD
    # Ada's own, beside one of who knows which service.
    assert everywhere(plain, f"Host: {host}", f"Cookie: chatapp_session=another; {name}={token}") == GOOD
    assert everywhere(plain, f"Host: {host}", f"Cookie: chatapp_session_1={token}") == REFUSED


def test_two_services_of_one_host_keep_their_sessions(plain: Service, logged: Service) -> None:
    with httpx.Client() as browser:
        for service in (plain, logged):
            answer = browser.post(f"{service.url}/api/v1/session", json={"name": f"At {service.port}"})
            assert list(session_cookies(answer)) == [f"chatapp_session_{service.port}"]
        for service in (plain, logged):
            who = browser.get(f"{service.url}/api/v1/session")
            assert who.json()["user"]["name"] == f"At {service.port}"
        out = browser.request("DELETE", f"{logged.url}/api/v1/session", headers={"Content-Type": "application/json"})
        assert list(session_cookies(out)) == [f"chatapp_session_{logged.port}"]
        assert browser.get(f"{logged.url}/api/v1/session").status_code == 401
        assert browser.get(f"{plain.url}/api/v1/session").status_code == 200


def test_signing_out_leaves_nobody_signed_in(plain: Service) -> None:
    """Not the one of before either, whose cookie has the plain name."""
    with Person(plain.url) as before, Person(plain.url) as now:
        own = f"chatapp_session_{plain.port}"
        json_type = "Content-Type: application/json"
        both = f"Cookie: chatapp_session={before.token}; {own}={now.token}"
        assert set(session_cookies(ask(plain.url, "DELETE", "/api/v1/session", json_type, both))) == {
            own,
            "chatapp_session",
        }
        foreign = f"Cookie: chatapp_session=of-another-service; {own}={before.token}"
        assert set(session_cookies(ask(plain.url, "DELETE", "/api/v1/session", json_type, foreign))) == {own}
