"""What a proxy in front says of a request, where it is believed, and what can never be true."""

import re

import httpx
import pytest

from tests.conftest import Start
from tests.support.raw_request import ask
from tests.support.service import Service

SIGN_IN = b'{"name": "Ada"}'


@pytest.fixture(scope="module")
def behind(start_service: Start) -> Service:
    return start_service("sqlite", CHATAPP_PROXIES="1", LOG_FORMAT="text", GUNICORN_CMD_ARGS="--access-logfile -")


@pytest.fixture(scope="module")
def exposed(start_service: Start) -> Service:
    return start_service("sqlite")


PREFIXES = (
    "talk",
    "//evil.example",
    "/a//b",
    "/..",
    "/talk/../x",
    "/t;lk",
    '/"><script>',
    "/t lk",
    "/t%0alk",
    "/\xff",
    "/" * 50,
)
HOSTS = (
    "a b",
    "evil.example/x",
    "user@evil.example",
    "\xff\xfe",
    "[::1",
    '"><script>',
    "a:b",
    "x" * 300,
    "evil.example:99999",
)
SCHEMES = ("javascript", "\xff", "https ", "http s", "x" * 3000)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_prefix_that_is_no_path_is_passed_over(behind: Service, prefix: str) -> None:
    answer = ask(behind.url, "POST", "/api/v1/session", f"X-Forwarded-Prefix: {prefix}", body=SIGN_IN)
    assert answer.status == 201
    assert "Path=/;" in f"{answer.field('set-cookie')};"
    page = ask(behind.url, "GET", "/", f"X-Forwarded-Prefix: {prefix}")
    assert page.status == 200
    assert b'content=""' in page.body


@pytest.mark.parametrize("prefix", ["/talk", "/talk/", "/t/a.b-c_d~e"])
def test_a_prefix_counts(behind: Service, prefix: str) -> None:
    answer = ask(behind.url, "POST", "/api/v1/session", f"X-Forwarded-Prefix: {prefix}", body=SIGN_IN)
    path = prefix.rstrip("/")
    assert f"Path={path};" in f"{answer.field('set-cookie')};"
    page = ask(behind.url, "GET", "/rooms/general/", f"X-Forwarded-Prefix: {prefix}")
    assert re.search(rf'"{re.escape(path)}/static/[0-9a-f]{{12}}/page.js"'.encode(), page.body)


def test_a_path_has_a_cookie_of_its_own(behind: Service) -> None:
    told = ("X-Forwarded-Host: chat.example", "X-Forwarded-Prefix: /talk/rooms")
    answer = ask(behind.url, "POST", "/api/v1/session", *told, body=SIGN_IN)
    name, _, rest = str(answer.field("set-cookie")).partition("=")
    assert name == "chatapp_session-talk-rooms"
    assert (
        ask(behind.url, "GET", "/api/v1/events/poll", *told, f"Cookie: {name}={rest.partition(';')[0]}").status == 200
    )


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_that_is_none_is_passed_over(behind: Service, host: str) -> None:
    own = behind.url
    answer = ask(behind.url, "POST", "/api/v1/session", f"X-Forwarded-Host: {host}", f"Origin: {own}", body=SIGN_IN)
    assert answer.status == 201
    assert str(answer.field("set-cookie")).startswith(f"chatapp_session_{behind.port}=")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_scheme_that_is_none_is_passed_over(behind: Service, scheme: str) -> None:
    lines = (f"X-Forwarded-Proto: {scheme}", f"Origin: {behind.url.replace('http:', 'https:')}")
    status = 201 if scheme.strip() == "https" else 403
    assert ask(behind.url, "POST", "/api/v1/session", *lines, body=SIGN_IN).status == status
    assert ask(behind.url, "POST", "/api/v1/session", f"X-Forwarded-Proto: {scheme}", body=SIGN_IN).status == 201


def test_the_spelling_does_not_matter(behind: Service) -> None:
    lines = ("X-Forwarded-Proto: HTTPS", "X-Forwarded-Host: Chat.Example:443", "Origin: https://chat.example")
    answer = ask(behind.url, "POST", "/api/v1/session", *lines, body=SIGN_IN)
    assert answer.status == 201
    assert "Secure" in str(answer.field("set-cookie"))


def test_an_address_that_is_none_writes_no_line_of_the_log(behind: Service) -> None:
    for address in ('1.2.3.4 - - "GET /forged', "\x85forged", "\xffforged", "x" * 500, "unknown", "[::1]:5"):
        assert ask(behind.url, "POST", "/api/v1/session", f"X-Forwarded-For: {address}", body=SIGN_IN).status == 201
    assert "forged" not in behind.log()
    assert "\n[::1]:5 - " in behind.log()


def test_without_proxies_nothing_is_believed(exposed: Service) -> None:
    forwarded = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "chat.example",
        "X-Forwarded-Port": "443",
        "X-Forwarded-Prefix": "/talk",
        "Forwarded": "for=203.0.113.9;proto=https;host=chat.example",
    }
    answer = httpx.post(f"{exposed.url}/api/v1/session", json={"name": "Ada"}, headers=forwarded)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"chatapp_session_{exposed.port}=")
    assert "Path=/;" in f"{cookie};"
    assert "Secure" not in cookie
    assert re.search(r'"/static/[0-9a-f]{12}/page.js"', httpx.get(f"{exposed.url}/", headers=forwarded).text)


def test_two_proxies_say_two_values(start_service: Start) -> None:
    behind_two = start_service("sqlite", CHATAPP_PROXIES="2")
    for said, path in (("/talk", "/"), ("/talk, /inner", "/talk"), ("/forged, /talk, /inner", "/talk")):
        answer = ask(behind_two.url, "POST", "/api/v1/session", f"X-Forwarded-Prefix: {said}", body=SIGN_IN)
        assert f"Path={path};" in f"{answer.field('set-cookie')};"
