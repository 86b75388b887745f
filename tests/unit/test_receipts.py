"""Receipts: what is delivered follows from joinings, places and acks, in whichever order they are written."""

from typing import Any

import pytest
from sqlalchemy import text

from chatapp.people import Identity
from chatapp.receiving import receipt_rows
from chatapp.storage import Prepared
from chatapp.storage import Rows
from chatapp.wire import Cursor
from tests.support.stage import Stage
from tests.unit.conftest import Set

STATUSES = Prepared(text("SELECT COUNT(*) FROM events WHERE type = 'message.status'"))
SENT, DELIVERED = ("sent", 0), ("delivered", 1)


def ack(stage: Stage, who: Identity, cursor: str) -> None:
    """As a client of this worker does; it is written by the next flush."""
    mine = stage.parts.known_rooms.memberships(who, stage.parts.tail.end)
    stage.parts.receipts.ack(who.id, mine.joinings(), Cursor.parse(cursor))


def test_acks_gather_and_the_furthest_is_written_once(stage: Stage) -> None:
    ada, bob = stage.person("Ada"), stage.person("Bob")
    messages = [stage.say(ada, "general", f"{number}") for number in range(4)]
    for message in (messages[2], messages[0], messages[1]):
        ack(stage, bob, message["cursor"])
    assert stage.delivered_to(messages[0], ada) == SENT
    stage.settle()
    assert [stage.delivered_to(one, ada) for one in messages] == [DELIVERED] * 3 + [SENT]
    before = stage.one("SELECT COUNT(*) FROM events WHERE type = 'message.status'")
    ack(stage, bob, messages[1]["cursor"])
    stage.settle()
    assert stage.one("SELECT COUNT(*) FROM events WHERE type = 'message.status'") == before == 3


def test_two_workers_write_the_cursors_of_one_client_in_either_order(set_up: Set) -> None:
    one, other = set_up(), set_up()
    ada, bob = one.person("Ada"), one.person("Bob")
    first, second = one.say(ada, "general", "first"), one.say(ada, "general", "second")
    other.read()
    ack(one, bob, first["cursor"])
    ack(other, bob, second["cursor"])
    # The later cursor is written first.
    other.parts.receipts.flush()
    one.parts.receipts.flush()
    assert [one.delivered_to(message, ada) for message in (first, second)] == [DELIVERED] * 2


def test_what_was_said_before_the_joining_stays_as_it_was(stage: Stage) -> None:
    ada, bob = stage.person("Ada"), stage.person("Bob")
    stage.room(ada, "team")
    before = stage.say(ada, "team", "before")
    stage.parts.rooms.add(bob, "team", bob.id)
    stage.settle()
    after = stage.say(ada, "team", "after")
    ack(stage, bob, after["cursor"])
    stage.settle()
    assert (stage.delivered_to(before, ada), stage.delivered_to(after, ada)) == (SENT, DELIVERED)


def test_an_ack_that_is_quicker_than_the_record_of_the_message(set_up: Set) -> None:
    """One worker published it and has not recorded its place yet; another one has read it."""
    publisher, reader = set_up(), set_up()
    ada, bob = publisher.person("Ada"), publisher.person("Bob")
    reader.read()
    id_ = publisher.send(ada, "general")
    entries = publisher.parts.kept_log.unpublished(200)
    [cursor] = publisher.parts.live_log.publish(entries, Cursor(0), Cursor(0), {})
    reader.read()
    ack(reader, bob, str(cursor))
    reader.parts.receipts.flush()
    assert publisher.message(id_).status == "sent"
    publisher.publish()
    publisher.parts.receipts._look_again()
    assert publisher.message(id_).status == "delivered"


def test_an_ack_that_is_quicker_than_the_record_of_the_joining(set_up: Set) -> None:
    publisher, reader = set_up(), set_up()
    ada = publisher.person("Ada")
    bob = publisher.parts.sessions.new_guest("Bob").identity
    message_id = publisher.send(ada, "general", "after Bob has joined")
    entries = publisher.parts.kept_log.unpublished(200)
    cursors = publisher.parts.live_log.publish(entries, Cursor(0), Cursor(0), {})
    reader.read()
    ack(reader, bob, str(cursors[-1]))
    reader.parts.receipts.flush()
    publisher.publish()
    publisher.parts.receipts._look_again()
    assert publisher.message(message_id).status == "delivered"


def test_acks_of_two_memberships_that_are_written_together(stage: Stage) -> None:
    ada, bob = stage.person("Ada"), stage.person("Bob")
    stage.room(ada, "team", members=(bob,))
    first = stage.say(ada, "team", "in the first")
    ack(stage, bob, first["cursor"])
    stage.parts.rooms.remove(bob, "team", bob.id)
    stage.publish()
    stage.read()
    between = stage.send(ada, "team", "while Bob is away")
    stage.publish()
    stage.parts.rooms.add(bob, "team", bob.id)
    stage.publish()
    stage.read()
    second_id = stage.send(ada, "team", "in the second")
    stage.publish()
    stage.read()
    ack(stage, bob, str(Cursor(stage.message(second_id).log_id or 0)))
    stage.settle()
    assert stage.delivered_to(first, ada) == DELIVERED
    assert stage.delivered_to({"id": between}, ada) == SENT
    assert stage.delivered_to({"id": second_id}, ada) == DELIVERED


def test_one_user_counts_once_however_often_they_came_back(stage: Stage) -> None:
    ada, bob = stage.person("Ada"), stage.person("Bob")
    stage.room(ada, "team", members=(bob,))
    message = stage.say(ada, "team")
    ack(stage, bob, message["cursor"])
    stage.settle()
    for _ in range(3):
        stage.parts.rooms.remove(bob, "team", bob.id)
        stage.settle()
        stage.parts.rooms.add(bob, "team", bob.id)
        stage.settle()
        ack(stage, bob, stage.say(ada, "team", "again")["cursor"])
        stage.settle()
    assert stage.delivered_to(message, ada) == DELIVERED
    assert stage.one("SELECT COUNT(*) FROM receipts WHERE user_id = :who", who=bob.id) == 5


def test_the_senders_own_ack_delivers_nothing(stage: Stage) -> None:
    ada = stage.person("Ada")
    message = stage.say(ada, "general")
    ack(stage, ada, message["cursor"])
    stage.settle()
    assert stage.delivered_to(message, ada) == SENT


def test_an_ack_beyond_the_newest_counts_as_up_to_that(stage: Stage) -> None:
    ada, bob = stage.person("Ada"), stage.person("Bob")
    before = stage.say(ada, "general", "before")
    ack(stage, bob, "9999999999999-0")
    stage.settle()
    after = stage.say(ada, "general", "after")
    stage.settle()
    assert (stage.delivered_to(before, ada), stage.delivered_to(after, ada)) == (DELIVERED, SENT)


def test_an_ack_that_reaches_far_is_written_in_many_transactions(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first to confirm what a bot has said for months holds up nobody else's sends."""
    ada, bob = stage.person("Ada"), stage.person("Bob")
    rooms = ["one", "two", "three", "four", "five"]
    for room in rooms:
        stage.room(ada, room, members=(bob,))
        stage.send_many(ada, room, map(str, range(510)))
    stage.settle()
    at_once: list[int] = []
    deliver = receipt_rows.deliver

    def counted(rows: Rows, *args: Any, **kwargs: Any) -> Any:
        before = rows.ask(STATUSES)[0][0]
        done = deliver(rows, *args, **kwargs)
        at_once.append(rows.ask(STATUSES)[0][0] - before)
        return done

    monkeypatch.setattr(receipt_rows, "deliver", counted)
    ack(stage, bob, str(stage.parts.tail.end))
    stage.parts.receipts.flush()
    assert sum(at_once) == 2_550
    assert max(at_once) <= receipt_rows.AT_ONCE + receipt_rows.OF_ROOM_MAX
    assert stage.one("SELECT COUNT(*) FROM messages WHERE status = 'sent'") == 0
    assert stage.one("SELECT COUNT(DISTINCT message_id) FROM events WHERE type = 'message.status'") == 2_550
