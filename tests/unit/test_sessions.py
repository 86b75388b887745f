"""Sessions: guests and the host's people: who holds a token, until when, and the same in every worker."""

import time
from datetime import timedelta
from typing import Any

import jwt
import pytest

from chatapp.errors import Unauthenticated
from chatapp.people.sessions import GUEST_LIFE
from chatapp.runtime import utc_now
from tests.support.stage import Stage
from tests.unit.conftest import Set

SECRET = "of the host, and as long as the longest of the algorithms would like it"


def host_token(**claims: Any) -> str:
    return jwt.encode({"sub": "ada", "name": "Ada", "exp": time.time() + 3600, **claims}, SECRET, "HS256")


def test_a_guest_is_a_member_of_general_and_known_by_the_token_alone(set_up: Set) -> None:
    here, there = set_up(), set_up()
    signed_in = here.parts.sessions.new_guest("Ada")
    found = there.parts.sessions.identify(signed_in.token)
    assert found == signed_in.identity
    assert [room.name for room in there.parts.known_rooms.memberships(found, there.parts.tail.end).rooms] == ["general"]
    assert here.one("SELECT COUNT(*) FROM sessions WHERE token_hash = :token", token=signed_in.token) == 0
    with pytest.raises(Unauthenticated):
        there.parts.sessions.identify(signed_in.token + "x")


def test_who_signed_out_is_out_in_every_worker(set_up: Set) -> None:
    here, there = set_up(), set_up()
    signed_in = here.parts.sessions.new_guest("Ada")
    there.parts.sessions.identify(signed_in.token)
    here.parts.sessions.sign_out(signed_in.identity)
    with pytest.raises(Unauthenticated):
        here.parts.sessions.identify(signed_in.token)
    # The other one is told by a signal, or has missed some and forgets all.
    there.parts.sessions.forget_all()
    with pytest.raises(Unauthenticated):
        there.parts.sessions.identify(signed_in.token)
    assert there.parts.sessions.returning_guest(signed_in.token) is None


def test_an_ended_guest_comes_back_as_the_same_user(stage: Stage) -> None:
    signed_in = stage.parts.sessions.new_guest("Ada")
    stage.write("UPDATE sessions SET expires_at = :then", then=str(utc_now() - timedelta(days=1))[:26])
    with pytest.raises(Unauthenticated):
        stage.parts.sessions.identify(signed_in.token)
    back = stage.parts.sessions.returning_guest(signed_in.token)
    assert back is not None
    assert back.identity.id == signed_in.identity.id
    assert stage.parts.sessions.identify(signed_in.token).id == signed_in.identity.id


def test_a_session_is_renewed_in_its_second_half(stage: Stage) -> None:
    first = stage.parts.sessions.new_guest("Ada").identity
    assert stage.parts.sessions.renew(first) is first
    soon = utc_now() + GUEST_LIFE / 3
    stage.write("UPDATE sessions SET expires_at = :then", then=str(soon)[:26])
    stage.parts.sessions.forget_all()
    old = stage.parts.sessions._known.ask(first.session_id)
    assert old is not None
    assert stage.parts.sessions.renew(old.identity).expires_at > soon + GUEST_LIFE / 2


def test_a_host_token_makes_its_user_and_rooms_at_first_use(set_up: Set) -> None:
    stage = set_up(CHATAPP_JWT_SECRET=SECRET)
    who = stage.parts.sessions.identify(host_token(rooms=["team", "desk"]))
    assert (who.id, who.name, who.rooms) == ("h_ada", "Ada", frozenset({"team", "desk"}))
    mine = stage.parts.known_rooms.memberships(who, stage.parts.tail.end).rooms
    assert [(room.name, room.visibility) for room in mine] == [("desk", "private"), ("team", "private")]
    # A newer claim moves them; an older one, coming late, does not.
    now = int(time.time())
    stage.parts.sessions.identify(host_token(rooms=["team"], iat=now + 5))
    stage.parts.sessions.identify(host_token(rooms=["desk"], iat=now - 500))
    rooms = stage.one("SELECT GROUP_CONCAT(name) FROM rooms JOIN memberships ON room_id = id WHERE user_id = 'h_ada'")
    assert rooms == "team"


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": ""},
        {"sub": "x" * 201},
        {"sub": "line\nbreak"},
        {"sub": 7},
        {"exp": 1},
        {"exp": "soon"},
        {"rooms": "team"},
        {"rooms": ["No Room"]},
        {"name": "\u200b", "sub": "\u00a0"},
    ],
)
def test_claims_that_cannot_be_used_open_nothing(set_up: Set, claims: dict[str, Any]) -> None:
    stage = set_up(CHATAPP_JWT_SECRET=SECRET)
    document = {"sub": "ada", "exp": time.time() + 3600, **claims}
    token = jwt.api_jws.encode(jwt.PyJWT()._encode_payload(document), SECRET, "HS256")
    with pytest.raises(Unauthenticated):
        stage.parts.sessions.identify(token)
    assert stage.one("SELECT COUNT(*) FROM users") == 0


@pytest.mark.parametrize("algorithm", ["none", "HS512"])
def test_a_token_by_another_algorithm_opens_nothing(set_up: Set, algorithm: str) -> None:
    stage = set_up(CHATAPP_JWT_SECRET=SECRET)
    key = None if algorithm == "none" else SECRET
    token = jwt.encode({"sub": "ada", "exp": time.time() + 3600}, key, algorithm)
    with pytest.raises(Unauthenticated):
        stage.parts.sessions.identify(token)
