"""The rate limit, with the numbers an operator gets."""

import pytest

from tests.conftest import Start
from tests.support.person import Person
from tests.support.person import new_local_id
from tests.support.processes import wait_until
from tests.support.redis_server import RedisServer
from tests.support.service import Service


@pytest.fixture(scope="module")
def service(start_service: Start) -> Service:
    return start_service("postgres", CHATAPP_RATE_BURST="20", CHATAPP_RATE_PER_SECOND="2")


def test_burst_then_429_and_replays_are_free(ada: Person) -> None:
    room = ada.create_room()
    local_ids = [new_local_id() for _ in range(20)]
    remaining = []
    for number, local_id in enumerate(local_ids):
        answer = ada.post(room, f"{number}", local_id)
        assert answer.status_code == 201, answer.text
        remaining.append(int(answer.headers["RateLimit"].split(";r=")[1].split(";")[0]))
        assert answer.headers["RateLimit-Policy"] == '"send";q=20;w=10'
    assert remaining[0] == 19
    assert remaining[-1] <= 3
    # One token comes every half second: at most a few of these pass.
    refused = next(answer for answer in (ada.post(room, "more") for _ in range(50)) if answer.status_code == 429)
    problem = refused.json()
    assert (problem["code"], problem["retryable"]) == ("rate_limited", True)
    assert int(refused.headers["Retry-After"]) >= 1
    assert problem["retryAfterMs"] <= 500
    assert problem["localId"] is not None
    assert "r=0" in refused.headers["RateLimit"]
    for number, local_id in enumerate(local_ids):
        assert ada.post(room, f"{number}", local_id).status_code == 200


def test_a_batch_stops_for_a_room_when_the_rate_is_spent(ada: Person) -> None:
    room = ada.create_room()
    items = [{"room": room, "localId": new_local_id(), "body": f"{number}"} for number in range(40)]
    results = ada.batch(*items).json()["results"]
    statuses = [one["status"] for one in results]
    first_refused = statuses.index("failed")
    assert 20 <= first_refused < 35
    assert set(statuses[first_refused:]) == {"failed"}
    assert {one["problem"]["code"] for one in results[first_refused:]} == {"rate_limited"}
    assert results[-1]["problem"]["retryAfterMs"] > 0
    sent = [one["body"] for one in ada.history(room)]
    assert sent == [f"{number}" for number in range(first_refused)]


def test_each_user_has_a_rate_of_their_own(ada: Person, bob: Person) -> None:
    room = ada.create_room()
    bob.join(room)
    while ada.post(room, "spend").status_code == 201:
        pass
    assert bob.post(room, "mine is whole").status_code == 201


def test_refusals_are_remembered_also_for_what_stood_behind(ada: Person) -> None:
    room = ada.create_room()
    items = [{"room": room, "localId": new_local_id(), "body": f"{number}"} for number in range(40)]
    ada.batch(*items)
    statuses = [one["status"] for one in ada.status(*[one["localId"] for one in items])]
    assert statuses[0] == "sent"
    assert statuses[-3:] == ["failed"] * 3


def test_a_refused_send_costs_one_too(ada: Person) -> None:
    """Otherwise whoever is refused may go on for ever, at no cost but ours."""
    room = ada.create_room()
    answers = [ada.post(room, " ") for _ in range(60)]
    assert [answer.status_code for answer in answers[:20]] == [422] * 20
    assert answers[0].headers["RateLimit"].startswith('"send";r=19;')
    limited = [answer for answer in answers if answer.status_code == 429]
    assert len(limited) >= 30
    assert int(limited[0].headers["Retry-After"]) >= 1
    items = [{"room": room, "localId": new_local_id(), "body": " "} for _ in range(30)]
    codes = [one["problem"]["code"] for one in ada.batch(*items).json()["results"]]
    assert codes[-1] == "rate_limited"


def test_edits_have_a_rate_too(ada: Person) -> None:
    room = ada.create_room()
    sent = ada.send(room, "x")
    answers = [ada.http.patch(f"/messages/{sent['id']}", json={"body": f"{number}"}) for number in range(60)]
    assert [answer.status_code for answer in answers[:20]] == [200] * 20
    refused = next(answer for answer in answers if answer.status_code != 200)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert int(refused.headers["Retry-After"]) >= 1
    assert ada.post(room, "sends have their own").status_code == 201


def test_a_clock_set_back_does_not_use_up_the_rate(start_service: Start, redis_server: RedisServer) -> None:
    """What was counted while Redis's clock was ahead is a full burst at most, and that drains."""
    own = start_service("sqlite", REDIS_URL=redis_server.url, CHATAPP_RATE_BURST="2", CHATAPP_RATE_PER_SECOND="5")
    with Person(own.url, "Ada") as ada:
        room = ada.create_room()
        ada.send(room, "one")
        (key,) = redis_server.client.keys("chat:rate:*")
        seconds, _ = redis_server.client.time()
        redis_server.client.set(key, (seconds + 3600) * 1_000_000)
        assert ada.post(room, "two").status_code == 429
        wait_until(lambda: ada.post(room, "three").status_code == 201, 5)
    own.stop()
