"""A host's token has one spelling, and its session is known by it."""

import time
from base64 import urlsafe_b64decode
from base64 import urlsafe_b64encode
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from chatapp.config import Config
from chatapp.errors import Unauthenticated
from chatapp.people.host_token import P256_ORDER
from chatapp.people.host_token import HostToken
from chatapp.people.host_token import canonical
from chatapp.people.membership import ROOMS_MAX
from tests.unit.conftest import Set

SECRET = "of the host, and as long as the longest of the algorithms would like it"
PRIVATE_KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC_PEM = (
    PRIVATE_KEY.public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
)


def claims(**more: Any) -> dict[str, Any]:
    return {"sub": "ada", "name": "Ada", "exp": time.time() + 3600, **more}


def respelled(token: str) -> list[str]:
    """Other texts that a lenient reader takes for the same token."""
    header, body, signature = token.split(".")
    # The last character has spare bits unless the length is a multiple of four.
    spare = [part[:-1] + chr(ord(part[-1]) + 1) for part in (header, body, signature) if len(part) % 4]
    return [
        *(f"{header}=.{body}.{signature}", f"{header}.{body}=.{signature}", f"{token}=", f"{token}=="),
        *(
            f"{header}.{body}. {signature}",
            f"{header}\n.{body}.{signature}",
            f"{token}\t",
            f"{header}.{body}.!{signature}",
        ),
        *(token.replace(part, one) for part in (header, body, signature) for one in spare if one[:-1] == part[:-1]),
    ]


def other_signature(token: str) -> str:
    start, _, signature = token.rpartition(".")
    raw = urlsafe_b64decode(signature + "==")
    s = P256_ORDER - int.from_bytes(raw[32:])
    return f"{start}.{urlsafe_b64encode(raw[:32] + s.to_bytes(32)).rstrip(b'=').decode()}"


def test_only_one_spelling_is_taken() -> None:
    token = jwt.encode(claims(), SECRET, "HS256")
    assert canonical(token) == token
    assert len(respelled(token)) > 8
    for other in respelled(token):
        with pytest.raises(Unauthenticated):
            canonical(other)


@pytest.mark.parametrize(
    "token", ["..", "a.b.c", "e30.e30.", "W10.e30.AA", "\xff.\xff.\xff", "bnVsbA.e30.AA", "e30=.e30.AA"]
)
def test_what_has_no_header_is_no_token(token: str) -> None:
    with pytest.raises(Unauthenticated):
        canonical(token)


def test_both_signatures_of_a_token_are_one() -> None:
    token = jwt.encode(claims(), PRIVATE_KEY, "ES256")
    other = other_signature(token)
    assert other != token
    assert jwt.decode(other, PUBLIC_PEM, ["ES256"])["sub"] == "ada"
    assert canonical(other) == canonical(token)


@pytest.mark.parametrize("algorithm", ["HS256", "ES256"])
def test_a_signed_out_token_stays_so_in_any_spelling(set_up: Set, algorithm: str) -> None:
    here = set_up(CHATAPP_JWT_SECRET=SECRET, CHATAPP_JWT_PUBLIC_KEY=PUBLIC_PEM)
    token = jwt.encode(claims(), SECRET if algorithm == "HS256" else PRIVATE_KEY, algorithm)
    here.parts.sessions.sign_out(here.parts.sessions.identify(token))
    for one in [token, *respelled(token), *([other_signature(token)] if algorithm == "ES256" else [])]:
        with pytest.raises(Unauthenticated):
            here.parts.sessions.identify(one)


def test_a_token_that_was_signed_out_before_signatures_were_one_stays_so(set_up: Set) -> None:
    here = set_up(CHATAPP_JWT_PUBLIC_KEY=PUBLIC_PEM)
    token = jwt.encode(claims(), PRIVATE_KEY, "ES256")
    former = max(token, other_signature(token), key=lambda one: canonical(one) != one)
    assert canonical(former) != former
    sessions = here.parts.sessions
    sessions.sign_out(sessions.identify(former))
    here.write("UPDATE sessions SET token_hash = :hash", hash=sessions._hash_of(former))
    sessions.forget_all()
    with pytest.raises(Unauthenticated, match="Signed out"):
        sessions.identify(former)


def test_a_token_names_no_more_rooms_than_anybody_may_belong_to() -> None:
    config = Config.from_environ({"CHATAPP_JWT_SECRET": SECRET}, keep_secret=False)
    names = [f"room-{number}" for number in range(ROOMS_MAX + 1)]
    many = jwt.encode(claims(rooms=names[:-1]), SECRET, "HS256")
    assert HostToken.read(many, config).rooms == frozenset(names[:-1])
    with pytest.raises(Unauthenticated):
        HostToken.read(jwt.encode(claims(rooms=names), SECRET, "HS256"), config)
