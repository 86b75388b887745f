"""Admission: rate, claims, and what became of a localId."""

import pytest

from chatapp.errors import InvalidMessage
from chatapp.errors import RateLimited
from chatapp.sending.admission import REFUSALS_MAX
from chatapp.sending.rate import Rate
from chatapp.sending.rate import Ruling
from chatapp.sending.rate import Verdict
from tests.support.redis_server import RedisServer
from tests.support.stage import Stage
from tests.unit.conftest import Set

SLOW = {"CHATAPP_RATE_BURST": "3", "CHATAPP_RATE_PER_SECOND": "0.001"}


def test_a_burst_is_admitted_and_then_no_more(set_up: Set) -> None:
    admission = set_up(**SLOW).parts.admission
    rulings = [admission.admit("ada", f"local-{number}") for number in range(5)]
    assert [one.verdict for one in rulings] == [Verdict.ADMITTED] * 3 + [Verdict.LIMITED] * 2
    assert [one.remaining for one in rulings] == [2, 1, 0, 0, 0]
    assert 0 < rulings[-1].wait_s <= 1000
    assert admission.admit("bob", "local-0").verdict is Verdict.ADMITTED


def test_a_refund_makes_room_for_one_more(set_up: Set) -> None:
    admission = set_up(**SLOW).parts.admission
    for number in range(3):
        admission.admit("ada", f"local-{number}")
    admission.refund("ada")
    assert admission.peek("ada").remaining == 1
    assert admission.admit("ada", "one-more").verdict is Verdict.ADMITTED
    assert admission.admit("ada", "two-more").verdict is Verdict.LIMITED


def test_a_claim_holds_until_it_is_released(set_up: Set) -> None:
    here, there = set_up().parts.admission, set_up().parts.admission
    assert here.admit("ada", "the-same").verdict is Verdict.ADMITTED
    assert there.admit("ada", "the-same").verdict is Verdict.IN_FLIGHT
    assert there.in_flight_or_failed("ada", ["the-same", "another"]) == {"the-same": None}
    here.release("ada", "the-same")
    assert there.admit("ada", "the-same").verdict is Verdict.ADMITTED


def test_a_refusal_is_remembered_and_gives_way_to_a_new_attempt(stage: Stage) -> None:
    admission = stage.parts.admission
    error = InvalidMessage("Too long.", errors={"body": ["At most 4000."]})
    admission.refused("ada", "too-long-1", error)
    assert admission.in_flight_or_failed("ada", ["too-long-1"]) == {"too-long-1": error.problem("too-long-1")}
    assert admission.admit("ada", "too-long-1").verdict is Verdict.ADMITTED


def test_what_is_kept_of_refusals_is_little_and_of_few(stage: Stage, shared_redis: RedisServer) -> None:
    """One guest filled Redis with 8 MB of them a second."""
    error = InvalidMessage("no " * 1000, errors={f"field{number}": ["no " * 100] for number in range(20)})
    names = [f"local-id-{number}" for number in range(REFUSALS_MAX + 50)]
    for name in names:
        stage.parts.admission.refused("ada", name, error)
    kept = [len(shared_redis.client.get(key) or b"") for key in shared_redis.client.keys("chat:send:ada:*")]
    assert len(kept) == REFUSALS_MAX
    assert max(kept) < 600
    found = stage.parts.admission.in_flight_or_failed("ada", names)
    assert found[names[0]] == {**InvalidMessage("no " * 66 + "no").problem(names[0])}


def test_what_was_published_is_known(stage: Stage) -> None:
    ada = stage.person("Ada")
    stage.send(ada, "general", local_id="said-once")
    assert stage.parts.admission.admit(ada.id, "said-once").verdict is Verdict.IN_FLIGHT
    stage.settle()
    assert stage.parts.admission.admit(ada.id, "said-once").verdict is Verdict.KNOWN


def test_without_redis_each_worker_limits_by_itself(set_up: Set, redis_server: RedisServer) -> None:
    admission = set_up(REDIS_URL=redis_server.url, **SLOW).parts.admission
    assert admission.admit("ada", "before-0").verdict is Verdict.ADMITTED
    redis_server.stop()
    # The limit goes on from what Redis said last.
    verdicts = [admission.admit("ada", f"local-{number}").verdict for number in range(3)]
    assert verdicts == [Verdict.ADMITTED, Verdict.ADMITTED, Verdict.LIMITED]
    assert admission.in_flight_or_failed("ada", ["before-0"]) == {}


def test_another_rate_is_charged_apart(set_up: Set) -> None:
    admission = set_up(**SLOW).parts.admission
    rooms = Rate("rooms", 1, 0.001)
    admission.charge(rooms, "ada")
    with pytest.raises(RateLimited) as refused:
        admission.charge(rooms, "ada")
    assert refused.value.retry_after_s == pytest.approx(1000, rel=0.1)
    assert admission.peek("ada").remaining == 3


def test_a_ruling_says_what_is_left_in_the_words_of_the_contract() -> None:
    ruling = Ruling(Rate("send", 20, 2.0), Verdict.LIMITED, 0, 9.7, 0.4)
    assert ruling.fields == [("RateLimit-Policy", '"send";q=20;w=10'), ("RateLimit", '"send";r=0;t=10')]
    assert list(ruling.refusal(with_fields=True).fields) == ruling.fields
    assert list(ruling.refusal().fields) == []
    assert ruling.refusal().retry_after_s == 0.4


def test_the_keys_of_the_service_are_all_that_it_needs(set_up: Set, redis_server: RedisServer) -> None:
    """A Redis that several applications share gives each its own. The rate was each worker's then, without a word."""
    redis_server.client.acl_setuser("chat", enabled=True, passwords=["+pw"], keys=["chat:*"], categories=["+@all"])
    url = redis_server.url.replace("//", "//chat:pw@")
    here, there = (set_up(REDIS_URL=url, **SLOW).parts.admission for _ in range(2))
    assert here.peek("ada").remaining == 3
    for admission in (here, there, here):
        admission.charge_refused("ada")
    assert there.admit("ada", "one-more").verdict is Verdict.LIMITED
    assert all(key.startswith(b"chat:") for key in redis_server.client.scan_iter())
