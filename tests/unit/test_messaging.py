"""Messaging: a message is stored once, by members only, and every outcome can be asked for."""

import pytest

from chatapp.errors import Forbidden
from chatapp.errors import InvalidMessage
from chatapp.errors import LocalIdReused
from chatapp.errors import NotFound
from chatapp.errors import RateLimited
from chatapp.wire import Content
from tests.support.stage import Stage
from tests.unit.conftest import Set

SLOW_BURST = 5
SLOW = {"CHATAPP_RATE_BURST": str(SLOW_BURST), "CHATAPP_RATE_PER_SECOND": "0.001"}


def test_the_same_local_id_is_the_same_message(set_up: Set) -> None:
    stage = set_up(**SLOW)
    ada = stage.person("Ada")
    first = stage.parts.messaging.store(ada, "general", "local-id-1", Content("hello"))
    assert not first.replayed
    stage.settle()
    again = stage.parts.messaging.store(ada, "general", "local-id-1", Content("hello"))
    assert again.replayed
    assert again.document["id"] == first.document["id"]
    assert stage.one("SELECT COUNT(*) FROM messages") == 1
    # It costs nothing of the rate: there is one more for another.
    for number in range(SLOW_BURST - 1):
        stage.parts.messaging.store(ada, "general", f"another-{number}", Content("hello"))
    with pytest.raises(RateLimited):
        stage.parts.messaging.store(ada, "general", "one-too-many", Content("hello"))


def test_also_when_redis_has_forgotten_it(stage: Stage) -> None:
    ada = stage.person("Ada")
    first = stage.parts.messaging.store(ada, "general", "local-id-1", Content("hello"))
    stage.parts.link.commands.call(lambda redis: redis.flushall())
    again = stage.parts.messaging.store(ada, "general", "local-id-1", Content("hello"))
    assert (again.replayed, again.document["id"]) == (True, first.document["id"])


def test_also_when_the_rate_is_spent(set_up: Set) -> None:
    stage = set_up(CHATAPP_RATE_BURST="1", CHATAPP_RATE_PER_SECOND="0.001")
    ada = stage.person("Ada")
    first = stage.parts.messaging.store(ada, "general", "local-id-1", Content("hello"))
    stage.parts.link.commands.call(lambda redis: redis.delete(f"chat:send:{ada.id}:local-id-1"))
    assert stage.parts.messaging.store(ada, "general", "local-id-1", Content("hello")).document == first.document
    with pytest.raises(RateLimited) as refused:
        stage.parts.messaging.store(ada, "general", "local-id-2", Content("hello"))
    assert dict(refused.value.fields)["RateLimit"].startswith('"send";r=0;')


def test_another_text_or_room_for_the_same_local_id_is_refused(stage: Stage) -> None:
    ada = stage.person("Ada")
    stage.room(ada, "team")
    stored = stage.parts.messaging.store(ada, "general", "local-id-1", Content("hello"))
    stage.settle()
    for room, body in (("general", "other words"), ("team", "hello")):
        with pytest.raises(LocalIdReused) as refused:
            stage.parts.messaging.store(ada, room, "local-id-1", Content(body))
        assert refused.value.message is not None
        assert refused.value.message["id"] == stored.document["id"]


def test_only_members_write_and_foreign_rooms_do_not_exist(stage: Stage) -> None:
    ada, bob = stage.person("Ada"), stage.person("Bob")
    stage.room(ada, "team")
    stage.room(ada, "secret", "private")
    for room, error in (("team", Forbidden), ("secret", NotFound), ("nowhere", NotFound)):
        with pytest.raises(error):
            stage.parts.messaging.store(bob, room, "local-id-1", Content("hello"))
    assert stage.one("SELECT COUNT(*) FROM messages") == 0


def test_who_was_removed_by_another_worker_stores_nothing(set_up: Set) -> None:
    """This worker has not read of it, and takes Bob for a member."""
    here, there = set_up(**SLOW), set_up(**SLOW)
    ada, bob = here.person("Ada"), here.person("Bob")
    here.room(ada, "team", "private", members=(bob,))
    there.read()
    there.parts.known_rooms.memberships(bob, there.parts.tail.end)
    here.parts.rooms.remove(ada, "team", bob.id)
    with pytest.raises(NotFound):
        there.parts.messaging.store(bob, "team", "local-id-1", Content("behind the door"))
    # The charge was given back, and the claim.
    assert there.parts.admission.peek(bob.id).remaining == SLOW_BURST
    assert there.parts.admission.in_flight_or_failed(bob.id, ["local-id-1"]) == {}


def test_every_outcome_has_a_status(stage: Stage) -> None:
    ada = stage.person("Ada")
    stage.send(ada, "general", local_id="was-stored")
    stage.parts.admission.admit(ada.id, "in-flight")
    stage.parts.messaging.refuse(ada, "was-refused", InvalidMessage())
    asked = ["was-stored", "in-flight", "was-refused", "never-seen"]
    statuses = stage.parts.messaging.status(ada, asked)
    assert [one["localId"] for one in statuses] == asked
    assert [one["status"] for one in statuses] == ["sent", "sending", "failed", "unknown"]
    assert statuses[2]["problem"]["code"] == "invalid_message"


def test_edits_and_withdrawals_are_the_senders(stage: Stage) -> None:
    ada, bob = stage.person("Ada"), stage.person("Bob")
    id_ = stage.say(ada, "general", "helo")["id"]
    with pytest.raises(Forbidden):
        stage.parts.changes.edit(bob, id_, {"body": "mine now"})
    assert stage.parts.changes.edit(ada, id_, {"body": "hello"}).body == "hello"
    stage.settle()
    edited_at = stage.message(id_).edited_at
    assert edited_at is not None
    # The same words again change nothing.
    assert stage.parts.changes.edit(ada, id_, {"body": "hello"}).edited_at == edited_at
    withdrawn = stage.parts.changes.withdraw(ada, id_)
    assert withdrawn.body == ""
    assert stage.parts.changes.withdraw(ada, id_).deleted_at == withdrawn.deleted_at
    with pytest.raises(Forbidden):
        stage.parts.changes.edit(ada, id_, {"body": "not gone"})


def test_changes_have_a_rate_of_their_own(set_up: Set) -> None:
    stage = set_up(CHATAPP_RATE_BURST="2", CHATAPP_RATE_PER_SECOND="0.001")
    ada = stage.person("Ada")
    id_ = stage.say(ada, "general", "0")["id"]
    for body in ("1", "2"):
        stage.parts.changes.edit(ada, id_, {"body": body})
    with pytest.raises(RateLimited):
        stage.parts.changes.edit(ada, id_, {"body": "3"})
    assert stage.parts.admission.peek(ada.id).remaining == 1
