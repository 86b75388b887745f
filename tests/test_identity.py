"""Who somebody is: guests, the host's tokens, cookies and where they may come from."""

import json
import time
from collections.abc import Iterator
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import HMACAlgorithm

from tests.conftest import Start
from tests.support.person import Person
from tests.support.person import new_local_id
from tests.support.processes import wait_until
from tests.support.raw_request import ask
from tests.support.service import Service
from tests.support.session_expiry import set_expiry

SECRET = "a shared secret that is long enough for every algorithm of its family"
PRIVATE_KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC_PEM = (
    PRIVATE_KEY.public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
)


@pytest.fixture(scope="module")
def host(start_service: Start) -> Service:
    """A service that believes a host's tokens, by secret and by public key, and one other origin."""
    return start_service(
        "sqlite",
        CHATAPP_JWT_SECRET=SECRET,
        CHATAPP_JWT_PUBLIC_KEY=PUBLIC_PEM,
        CHATAPP_ORIGINS="https://app.example",
        CHATAPP_GUESTS_PER_MINUTE="6",
    )


def token(subject: str = "42", **claims: Any) -> str:
    claims = {"sub": subject, "name": "Hannah", "exp": int(time.time()) + 600, "iat": int(time.time()), **claims}
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, SECRET, "HS256")


@pytest.fixture
def browser(service: Service) -> Iterator[httpx.Client]:
    """A client with the cookie of a guest."""
    with httpx.Client(base_url=f"{service.url}/api/v1", timeout=15) as client:
        answer = client.post("/session", json={"name": "Browser"})
        assert answer.status_code == 201
        yield client


def test_a_guest_signs_in(service: Service) -> None:
    answer = httpx.post(f"{service.url}/api/v1/session", json={"name": "  A\ufb01n  "})
    assert answer.status_code == 201
    body = answer.json()
    assert body["user"]["name"] == "Afin"
    assert body["user"]["id"].startswith("u_")
    assert body["expiresAt"].endswith("Z")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    with Person(service.url, token=body["token"]) as person:
        rooms = person.http.get("/rooms").json()["rooms"]
        assert [one["name"] for one in rooms if one["member"]] == ["general"]


BAD_NAMES = ["", "   ", "a\u0000b", "a\nb", "\u202eevil", "a\u200bb", "\u2066x", "x" * 41, "a\u2028b", "\ud800"]


@pytest.mark.parametrize("name", [*BAD_NAMES, 5, None, ["x"]])
def test_a_name_shows_all_that_it_is(service: Service, name: object) -> None:
    body = json.dumps({"name": name})
    answer = httpx.post(f"{service.url}/api/v1/session", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_message")
    assert answer.json()["errors"]["name"]


def test_without_a_session_nothing_is_to_be_had(service: Service) -> None:
    for method, path in (
        ("GET", "/session"),
        ("GET", "/rooms"),
        ("GET", "/rooms/general"),
        ("GET", "/rooms/general/messages"),
        ("POST", "/rooms/general/messages"),
        ("GET", "/events/stream"),
        ("GET", "/events/poll"),
        ("POST", "/events/ack"),
        ("GET", "/messages/x"),
        ("PUT", "/direct/x"),
    ):
        for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic eDp5"}):
            answer = httpx.request(method, f"{service.url}/api/v1{path}", headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), (method, path, headers)


def test_sign_out_ends_the_session_and_its_streams(service: Service, ada: Person) -> None:
    streams = [ada.stream() for _ in range(4)]
    for stream in streams:
        stream.next()
    assert ada.http.delete("/session").status_code == 204
    for stream in streams:
        assert stream.until("closing").data["reason"] == "signed_out"
        stream.close()
    assert ada.http.get("/session").status_code == 401
    with Person(service.url, "Other") as other:
        assert other.http.get("/session").status_code == 200


def test_what_is_meant_as_someone_elses_is_refused(ada: Person, bob: Person, room: str) -> None:
    """A browser's cookie can change hands under an open page."""
    document = {"localId": new_local_id(), "body": "Bob's own words"}
    refused = ada.http.post(f"/rooms/{room}/messages", json=document, headers={"Chat-User": bob.id})
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")
    accepted = bob.http.post(f"/rooms/{room}/messages", json=document, headers={"Chat-User": bob.id})
    assert accepted.status_code == 201
    assert [one["localId"] for one in ada.history(room)] == [document["localId"]]
    encoded = "".join(f"%{byte:02X}" for byte in ada.id.encode())
    assert ada.http.get("/session", headers={"Chat-User": encoded}).status_code == 200


def test_the_cookie_must_come_from_this_site(browser: httpx.Client) -> None:
    def send(**headers: str) -> httpx.Response:
        body = b'{"localId": "%b", "body": "x"}' % new_local_id().encode()
        return browser.post("/rooms/general/messages", content=body, headers=headers)

    json_type = {"Content-Type": "application/json"}
    own = str(browser.base_url).removesuffix("/api/v1/")
    assert send(**json_type).status_code == 201
    assert send(**json_type, Origin=own).status_code == 201
    for refused in (
        send(**json_type, Origin="https://evil.example"),
        send(**json_type, Origin="null"),
        send(**{"Content-Type": "text/plain"}),
        browser.get("/events/poll", headers={"Origin": "https://evil.example"}),
        browser.get("/events/stream", headers={"Sec-Fetch-Site": "cross-site"}),
        browser.get("/rooms/general/messages", headers={"Sec-Fetch-Site": "cross-site"}),
        browser.delete("/session"),
    ):
        assert (refused.status_code, refused.json()["code"]) == (403, "bad_origin")
    assert browser.get("/rooms/general/messages", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


@pytest.mark.parametrize(
    ("host_field", "origin", "status"),
    [
        ("chat.example.org", "http://chat.example.org", 204),
        ("my_chat:8000", "http://my_chat:8000", 204),
        ("Chat.Example.ORG", "http://chat.example.org", 204),
        ("chat.example.org:80", "http://chat.example.org", 204),
        ("chat.example.org:", "http://chat.example.org", 204),
        ("[::0:1]:8000", "http://[::1]:8000", 204),
        ("[::1]", "http://[::1]", 204),
        ("chat.example.org", "https://chat.example.org", 403),
        ("chat.example.org:8000", "http://chat.example.org", 403),
        ("chat.example.org", "http://evil.example", 403),
        ("null", "null", 403),
        ("", "null", 403),
        ("a b", "http://a b", 403),
        ("\xff", "http://\xff\xfe", 403),
    ],
)
def test_this_site_is_known_however_its_name_is_written(
    service: Service, ada: Person, host_field: str, origin: str, status: int
) -> None:
    lines = (f"Host: {host_field}", f"Cookie: chatapp_session={ada.token}", f"Origin: {origin}")
    assert ask(service.url, "POST", "/api/v1/events/ack", *lines, body=b'{"cursor": "1-0"}').status == status


def test_an_allowed_origin_may_use_the_api(host: Service) -> None:
    preflight = httpx.options(
        f"{host.url}/api/v1/rooms/general/messages",
        headers={
            "Origin": "https://app.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,idempotency-key",
        },
    )
    assert preflight.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert preflight.headers["Access-Control-Allow-Credentials"] == "true"
    assert "idempotency-key" in preflight.headers["Access-Control-Allow-Headers"].lower()
    answer = httpx.get(
        f"{host.url}/api/v1/rooms",
        headers={"Origin": "https://app.example", "Authorization": f"Bearer {token()}"},
    )
    exposed = answer.headers["Access-Control-Expose-Headers"].lower()
    for name in ("retry-after", "ratelimit", "ratelimit-policy", "idempotent-replayed", "etag"):
        assert name in exposed
    other = httpx.get(f"{host.url}/healthz", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in other.headers


def test_a_hosts_token_makes_its_user(host: Service) -> None:
    with Person(host.url, token=token("7")) as hannah:
        assert hannah.user == {"id": "h_7", "name": "Hannah"}
        # The cookie for a page of the host, ending with the token.
        answer = hannah.http.post("/session", json={})
        assert answer.status_code == 201
        assert answer.json()["user"] == hannah.user
        with httpx.Client(base_url=f"{host.url}/api/v1", cookies=dict(answer.cookies)) as page:
            assert page.get("/session").json()["user"] == hannah.user
    key_token = jwt.encode({"sub": "8", "name": "Ed", "exp": int(time.time()) + 60}, PRIVATE_KEY, "ES256")
    with Person(host.url, token=key_token) as ed:
        assert ed.id == "h_8"


@pytest.mark.parametrize(
    ("claimed", "shown"),
    [
        ("\ufb01nn ①", "\ufb01nn ①"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("山田\u3000太郎\n", "山田\u3000太郎"),
        ("A\u200bd\u202ea", "Ada"),
        ("\u3164\u2800", "names"),
        (None, "names"),
        (5, "names"),
    ],
)
def test_a_hosts_name_is_shown_as_the_host_spells_it(host: Service, claimed: object, shown: str) -> None:
    with Person(host.url, token=token("names", name=claimed)) as person:
        assert person.name == shown


def bad_tokens() -> dict[str, str]:
    now = int(time.time())
    rsa_key = rsa.generate_private_key(65537, 2048)
    claims = {"sub": "9", "name": "Mallory", "exp": now + 60}
    public_as_secret = jwt.api_jws.PyJWS(options=None)
    public_as_secret.unregister_algorithm("HS256")

    class Careless(HMACAlgorithm):
        def prepare_key(self, key: Any) -> bytes:
            return str(key).encode()

    public_as_secret.register_algorithm("HS256", Careless(HMACAlgorithm.SHA256))
    return {
        "expired": token(exp=now - 120),
        "no expiry": token(exp=None),
        "no subject": token(sub=None),
        "wrong secret": jwt.encode(claims, "another secret of more than thirty-two bytes", "HS256"),
        "no algorithm": jwt.encode(claims, None, "none"),
        "other algorithm": jwt.encode(claims, SECRET, "HS512"),
        "another kind of key": jwt.encode(claims, rsa_key, "RS256"),
        "the public key as secret": public_as_secret.encode(json.dumps(claims).encode(), PUBLIC_PEM, "HS256"),
        "empty subject": token(subject=""),
        "subject no text": token(sub=5),
        "rooms no list": token(rooms="general"),
        "rooms no names": token(rooms=["No Such Name"]),
    }


@pytest.mark.parametrize("case", list(bad_tokens()))
def test_a_bad_token_opens_nothing(host: Service, case: str) -> None:
    answer = httpx.get(f"{host.url}/api/v1/session", headers={"Authorization": f"Bearer {bad_tokens()[case]}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


def test_a_signed_out_token_does_not_come_back_in_another_spelling(host: Service) -> None:
    with Person(host.url, token=token("11")) as out:
        assert out.http.delete("/session").status_code == 204
        for other in ("", "=", "==", "\t", "\xa0"):
            for field in (f"Authorization: Bearer {out.token}{other}", f"Cookie: chatapp_session={out.token}{other}"):
                assert ask(host.url, "GET", "/api/v1/session", field).status == 401
    fresh = token("12")
    assert ask(host.url, "GET", "/api/v1/session", f"Authorization: Bearer {fresh}=").status == 401
    assert ask(host.url, "GET", "/api/v1/session", f"Authorization: Bearer {fresh}").status == 200


def test_a_little_lateness_of_clocks_is_forgiven(host: Service) -> None:
    with Person(host.url, token=token("10", exp=int(time.time()) - 20)) as late:
        assert late.http.get("/rooms").status_code == 200


def test_a_rooms_claim_is_exactly_the_rooms_that_exist(host: Service) -> None:
    now = int(time.time())
    with Person(host.url, token=token("20", rooms=["team-a", "team-b"], iat=now - 10)) as first:
        names = [one["name"] for one in first.http.get("/rooms").json()["rooms"]]
        assert names == ["team-a", "team-b"]
        assert first.http.get("/rooms/team-a").json()["visibility"] == "private"
        first.send("team-a", "hello")
        for path in ("/rooms/general", "/rooms/general/messages"):
            assert first.http.get(path).status_code == 404
        assert first.http.post("/rooms", json={"name": "mine"}).status_code == 403
        with (
            first.stream() as stream,
            Person(host.url, token=token("20", rooms=["team-b", "team-c"], iat=now)) as newer,
        ):
            stream.next()
            names = [one["name"] for one in newer.http.get("/rooms").json()["rooms"]]
            assert names == ["team-b", "team-c"]
            assert stream.until("member.left").data["room"] == "team-a"
            assert first.http.get("/rooms/team-a").status_code == 404
            # The older token does not bring back what the newer one left.
            assert first.http.get("/rooms/team-c").status_code == 404
            assert newer.http.get("/rooms/team-a").status_code == 404
    with Person(host.url, token=token("21")) as stranger:
        assert stranger.http.get("/rooms/team-b").status_code == 404


def test_a_claim_is_not_caught_by_whoever_took_the_name_first(host: Service) -> None:
    with Person(host.url, "Squatter") as guest:
        taken = guest.create_room("private", "sales-taken")
        with Person(host.url, token=token("30", rooms=[taken, "sales-own"])) as seller:
            assert seller.post(taken, "secret").status_code == 404
            assert seller.send("sales-own", "secret")["room"] == "sales-own"
        assert guest.history(taken) == []
        assert "sales-own" not in str(guest.poll("0-0", wait=0))


def test_a_claim_hears_nothing_of_rooms_outside_it(host: Service) -> None:
    with Person(host.url, token=token("31", rooms=["inside"])) as boss, Person(host.url, token=token("32")) as other:
        outside = other.create_room("private", "outside-room")
        with boss.stream() as stream:
            stream.next()
            other.invite(outside, boss)
            boss.send("inside", "after the invitation")
            events = [stream.next()]
            while events[-1].type != "message.created":
                events.append(stream.next())
            assert outside not in str(events)
        assert outside not in str(boss.poll("0-0", wait=0))
        assert boss.http.get(f"/rooms/{outside}").status_code == 404


def test_a_token_for_ever_is_a_token(host: Service) -> None:
    with Person(host.url, token=token("33", exp=253402300799)) as eternal:
        assert eternal.http.get("/rooms").status_code == 200


def test_new_guests_from_one_address_are_limited(host: Service) -> None:
    answers = [httpx.post(f"{host.url}/api/v1/session", json={"name": "Many"}) for _ in range(9)]
    codes = [answer.status_code for answer in answers]
    assert codes[0] == 201
    assert codes[-1] == 429
    assert int(answers[-1].headers["Retry-After"]) >= 1


def test_guests_can_be_switched_off(start_service: Start) -> None:
    closed = start_service("sqlite", CHATAPP_GUESTS="false")
    answer = httpx.post(f"{closed.url}/api/v1/session", json={"name": "Nobody"})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.fixture(scope="module")
def aging(start_service: Start) -> Service:
    return start_service("sqlite")


def after_the_cache(condition: Any) -> None:
    """A worker looks at a session again after at most 20 s, and after 10 s if it is in use."""
    wait_until(condition, 25)


def test_an_ended_guest_comes_back_as_the_same(aging: Service) -> None:
    with Person(aging.url, "Ada") as ada:
        set_expiry(aging, ada, -29)
        after_the_cache(lambda: ada.http.get("/session").status_code == 401)
        back = ada.http.post("/session", json={"name": "Ada"})
        assert (back.status_code, back.json()["user"]) == (200, ada.user)
        assert ada.http.get("/session").status_code == 200


def test_a_guest_gone_for_long_or_signed_out_is_a_new_one(aging: Service) -> None:
    with Person(aging.url, "Ada") as ada, Person(aging.url, "Bob") as bob:
        set_expiry(aging, ada, -31)
        set_expiry(aging, bob, -1)
        after_the_cache(lambda: ada.http.get("/session").status_code == 401)
        again = ada.http.post("/session", json={"name": "Ada"})
        assert again.status_code == 201
        assert again.json()["user"]["id"] != ada.id
    with Person(aging.url, "Cem") as cem:
        cem.http.delete("/session")
        again = cem.http.post("/session", json={"name": "Cem"})
        assert again.status_code == 201
        assert again.json()["user"]["id"] != cem.id
        assert cem.http.post("/session", json={}).json()["code"] == "invalid_message"


def test_a_session_is_renewed_in_its_second_half(aging: Service) -> None:
    with Person(aging.url, "Ada") as ada:
        before = ada.http.get("/session").json()["expiresAt"]
        assert ada.http.get("/session").json()["expiresAt"] == before
        set_expiry(aging, ada, 14)
        after_the_cache(lambda: ada.http.get("/session").json()["expiresAt"] > before)


def test_a_stream_ends_with_its_session(aging: Service) -> None:
    with Person(aging.url, "Ada") as ada:
        ends = (datetime.now(UTC) + timedelta(seconds=15)).timestamp()
        set_expiry(aging, ada, 15 / 86_400)

        def closed() -> bool:
            # Until the worker looks at the session again, a stream still has the old end.
            with ada.stream() as stream:
                if stream.status == 401:
                    return False
                try:
                    return bool(stream.until("closing", 2).data["reason"] == "expired")
                except TimeoutError:
                    return False

        wait_until(closed, 18)
        assert datetime.now(UTC).timestamp() < ends + 4
        assert ada.http.get("/rooms").status_code == 401
