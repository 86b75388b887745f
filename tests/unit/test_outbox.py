"""Outbox: everything that is committed is published once, in order, whoever committed it."""

import time
from collections.abc import Sequence

import gevent
import pytest

from chatapp.errors import RedisAway
from chatapp.errors import Unavailable
from chatapp.eventlog.kept_log import Place
from chatapp.eventlog.live_log import LOG_NAME
from chatapp.eventlog.live_log import SETTLE_S
from chatapp.eventlog.live_log import AnotherLog
from chatapp.eventlog.live_log import LiveLog
from chatapp.eventlog.live_log import LongAgo
from chatapp.eventlog.outbox import OVERTAKEN_MAX
from chatapp.eventlog.outbox import RELAY_INTERVAL_S
from chatapp.eventlog.outbox import SETTLE_MAX_S
from chatapp.runtime import now_ms
from chatapp.wire import Content
from chatapp.wire import Cursor
from chatapp.wire import Entry
from tests.support.redis_server import RedisServer
from tests.support.stage import Stage
from tests.unit.conftest import Set


def published(stage: Stage) -> list[tuple[str, str]]:
    """Type and row number of each entry of the log."""
    entries = stage.parts.link.commands.call(lambda redis: redis.xrange("chat:events"))
    return [(fields[b"type"].decode(), fields[b"number"].decode()) for _, fields in entries if fields[b"type"]]


def place(stage: Stage, message_id: str) -> int:
    return stage.message(message_id).log_id or 0


def read_and_published(stage: Stage) -> tuple[list[Entry], list[tuple[str, str]]]:
    """Five rows as another worker has read them before they were published, and what the log has then."""
    ada = stage.person("Ada")
    for number in range(5):
        stage.send(ada, "general", f"{number}")
    entries = stage.parts.kept_log.unpublished(200)
    stage.publish()
    return entries, published(stage)


def test_own_messages_go_out_in_order_and_are_recorded(stage: Stage) -> None:
    ada = stage.person("Ada")
    ids = [stage.send(ada, "general", f"{number}") for number in range(3)]
    assert [stage.message(id_).log_id for id_ in ids] == [None] * 3
    stage.publish()
    places = [stage.message(id_).log_id or 0 for id_ in ids]
    assert places == sorted(places)
    assert all(places)
    assert stage.parts.kept_log.unrecorded() == {}


def test_what_a_person_said_by_way_of_another_worker_comes_first(set_up: Set) -> None:
    other, here = set_up(), set_up()
    ada = other.person("Ada")
    here.read()
    here.publish()
    before = other.send(ada, "general", "answered without a cursor")
    after = here.send(ada, "general", "said after it")
    here.parts.outbox._flush()
    assert 0 < place(here, before) < place(here, after)


def test_a_removal_by_another_worker_comes_before_what_is_said_after(set_up: Set) -> None:
    other, here = set_up(), set_up()
    ada, bob, cid = (other.person(name) for name in ("Ada", "Bob", "Cid"))
    other.room(ada, "team", "private", members=(bob, cid))
    here.read()
    here.publish()
    other.parts.outbox.cursor_of = lambda uid, seconds=0.0: None  # type: ignore[method-assign]
    other.parts.rooms.remove(ada, "team", bob.id)
    here.send(cid, "team", "not for his eyes")
    here.parts.outbox._flush()
    assert [type_ for type_, _ in published(here)][-2:] == ["member.left", "message.created"]


def test_another_workers_row_is_left_to_it_until_it_is_overdue(set_up: Set, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise each row would be published by all workers, and a send would cost more with each of them."""
    other, here = set_up(), set_up()
    ada, bob = other.person("Ada"), other.person("Bob")
    here.read()
    here.publish()
    left = other.send(ada, "general", "committed, and then its worker died")
    own = here.send(bob, "general", "by this one")
    here.parts.outbox._flush()
    assert place(here, left) == 0
    assert place(here, own) > 0
    monkeypatch.setattr("chatapp.eventlog.outbox.CURSOR_WAIT_S", 0.0)
    here.parts.outbox._flush()
    assert place(here, left) > place(here, own)


def test_what_a_dead_worker_did_not_record_is_recorded_while_others_go_on(set_up: Set) -> None:
    """It is in the log, so it is not overdue there; but until it is recorded, no history has it."""
    other, here = set_up(), set_up()
    ada, bob = other.person("Ada"), other.person("Bob")
    here.read()
    here.publish()
    left = other.send(ada, "general", "published, and then its worker died")
    [entry] = other.parts.kept_log.unpublished(200)
    other.parts.live_log.publish([entry], Cursor(0), other.parts.tail.floor, {})
    here.read()
    here.send(bob, "general", "one")
    here.parts.outbox._flush()
    assert place(here, left) == 0
    # As if its timer had come round, with a commit a moment ago.
    here.parts.outbox._looked_s -= RELAY_INTERVAL_S
    here.send(bob, "general", "two")
    here.parts.outbox._flush()
    assert place(here, left) > 0


def test_many_moves_at_once_hide_nothing_that_is_in_the_log(stage: Stage) -> None:
    """A guest of 2,000 rooms signs out between the log and the record of what another said."""
    ada = stage.person("Ada")
    stage.send(ada, "general", "in the log, not recorded yet")
    [entry] = stage.parts.kept_log.unpublished(200)
    stage.parts.live_log.publish([entry], Cursor(0), Cursor(0), {})
    stage.write(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) "
        "INSERT INTO events (room_id, type, user_id) SELECT 1, 'member.left', :who FROM n",
        who=ada.id,
    )
    assert entry.uid in stage.parts.kept_log.unrecorded()


def test_nothing_overtakes_a_long_queue(set_up: Set) -> None:
    """A reader looks for rows that are in the log and not recorded yet among the first that wait."""
    other, here = set_up(), set_up()
    ada, bob = other.person("Ada"), other.person("Bob")
    here.read()
    here.publish()
    first = other.send(ada, "general", "first of very many")
    message = "INSERT INTO events (room_id, type, message_id) SELECT 1, 'message.updated', :id FROM n"
    rows = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {OVERTAKEN_MAX}) {message}"
    here.write(rows, id=first)
    last = here.send(bob, "general", "by this one")
    here.parts.outbox._flush()
    assert 0 < place(here, first) < place(here, last)


def test_of_very_many_that_wait_a_joining_comes_first(stage: Stage) -> None:
    """After Redis was away for long; and finding it does not take longer the more there are."""
    ada = stage.person("Ada")
    stage.write(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) "
        "INSERT INTO events (room_id, type) SELECT 1, 'message.updated' FROM n"
    )
    stage.write("INSERT INTO events (room_id, type, user_id) VALUES (1, 'member.joined', :who)", who=ada.id)
    joining = stage.one("SELECT MAX(number) FROM events")
    assert joining in stage.parts.kept_log.unrecorded().values()
    steps = stage.steps(stage.parts.kept_log.unrecorded)
    print(f"{steps} steps of SQLite's machine")
    # 2,000 rows by two ways; sorting all that wait takes about 600,000.
    assert steps < 300_000


def test_two_workers_publish_the_same_rows_once(set_up: Set) -> None:
    one, other = set_up(), set_up()
    entries, before = read_and_published(one)
    # It has read them before the first had recorded them.
    other.parts.outbox._publish(entries, Cursor(0))
    assert published(one) == before
    assert len(before) == len(set(before))


def test_a_relay_that_dies_between_log_and_record_repeats_nothing(stage: Stage) -> None:
    ada = stage.person("Ada")
    id_ = stage.send(ada, "general")
    [entry] = stage.parts.kept_log.unpublished(200)
    [first] = stage.parts.live_log.publish([entry], Cursor(0), Cursor(0), {})
    before = published(stage)
    stage.publish()
    assert published(stage) == before
    assert stage.message(id_).log_id == first


def test_who_joins_is_published_before_what_is_said_after(stage: Stage) -> None:
    ada, bob = stage.person("Ada"), stage.person("Bob")
    stage.room(ada, "team")
    stage.send(ada, "team", "said first, and not published yet")
    stage.parts.rooms.add(bob, "team", bob.id)
    stage.publish()
    assert [type_ for type_, _ in published(stage)][-2:] == ["member.joined", "message.created"]


def test_while_redis_is_away_nothing_is_lost_and_nobody_waits(set_up: Set, redis_server: RedisServer) -> None:
    stage = set_up(REDIS_URL=redis_server.url)
    ada = stage.person("Ada")
    redis_server.stop()
    sent = stage.parts.messaging.send(ada, "general", "while-away", Content("accepted all the same"))
    with pytest.raises(RedisAway):
        stage.publish()
    assert sent.document["cursor"] is None
    assert stage.parts.outbox.cursor_of(sent.document["id"]) is None
    redis_server.start_again()
    stage.parts.link.commands._away_until_s = 0.0
    stage.publish()
    assert stage.parts.outbox.cursor_of(sent.document["id"]) == stage.message(sent.document["id"]).log_id


def test_a_message_keeps_its_first_place_when_log_and_record_are_lost(stage: Stage) -> None:
    ada = stage.person("Ada")
    id_ = stage.send(ada, "general")
    [entry] = stage.parts.kept_log.unpublished(200)
    [first] = stage.parts.live_log.publish([entry], Cursor(0), Cursor(0), {})
    stage.read()
    stage.parts.link.commands.call(lambda redis: redis.flushall())
    stage.parts.tail._resync()
    stage.publish()
    assert stage.message(id_).log_id == first
    again = stage.one("SELECT log_id FROM events WHERE message_id = :id", id=id_)
    assert again > first


def test_what_another_worker_is_recording_does_not_get_a_second_place(set_up: Set) -> None:
    """The log is lost in between, and this worker has not seen the first place."""
    other, here = set_up(), set_up()
    ada = other.person("Ada")
    here.read()
    here.publish()
    id_ = other.send(ada, "general")
    [entry] = other.parts.kept_log.unpublished(200)
    [first] = other.parts.live_log.publish([entry], Cursor(0), other.parts.tail.floor, {})
    here.parts.link.commands.call(lambda redis: redis.flushall())
    wait = here.parts.kept_log.await_records

    def others_go_on(seconds: float, besides: Sequence[int] = ()) -> None:
        other.parts.kept_log.record([Place(entry, first, first)])
        wait(seconds, besides)

    here.parts.kept_log.await_records = others_go_on  # type: ignore[method-assign]
    here.publish()
    assert published(here) == []
    assert place(here, id_) == first


def test_a_place_that_only_others_saw_is_kept(set_up: Set) -> None:
    """Redis ran the script, and its answer was lost; then the log."""
    publisher, reader = set_up(), set_up()
    ada = publisher.person("Ada")
    reader.read()
    reader.publish()
    bob = publisher.parts.sessions.new_guest("Bob").identity
    id_ = publisher.send(ada, "general")
    entries = publisher.parts.kept_log.unpublished(200)
    joined, said = publisher.parts.live_log.publish(entries, Cursor(0), publisher.parts.tail.floor, {})
    reader.read()
    publisher.parts.link.commands.call(lambda redis: redis.flushall())
    relay = gevent.spawn(publisher.publish)
    reader.parts.tail._look()
    relay.get(timeout=10)
    assert place(publisher, id_) == said
    assert publisher.one("SELECT first FROM receipts WHERE user_id = :who", who=bob.id) == joined
    assert [type_ for type_, _ in published(publisher)] == ["member.joined", "message.created"]


def test_a_wait_that_the_database_broke_off_is_waited_again(set_up: Set) -> None:
    here = set_up()
    ada = here.person("Ada")
    here.send(ada, "general")
    here.parts.link.commands.call(lambda redis: redis.flushall())
    waits: list[float] = []

    def fails_once(seconds: float, besides: Sequence[int] = ()) -> None:
        waits.append(seconds)
        if len(waits) == 1:
            raise Unavailable("away")

    here.parts.kept_log.await_records = fails_once  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        here.publish()
    assert published(here) == []
    here.publish()
    assert waits == [SETTLE_S, SETTLE_S]
    assert [type_ for type_, _ in published(here)] == ["message.created"]


def test_a_worker_that_starts_beside_a_log_of_long_ago_waits_for_nobody(set_up: Set) -> None:
    there = set_up()
    for age, unsettled in ((60_000, 0.0), (0, pytest.approx(SETTLE_S, abs=1.0))):
        there.parts.link.commands.call(lambda redis, age=age: redis.set(LOG_NAME, f"log@{now_ms() - age}"))
        there.parts.live_log._known = b""
        with pytest.raises(AnotherLog) as another:
            there.parts.live_log.meet()
        assert another.value.unsettled_s == unsettled


def test_logs_that_are_lost_again_and_again_hold_nobody_up_for_ever(set_up: Set) -> None:
    here = set_up()
    ada = here.person("Ada")
    here.send(ada, "general")
    waits: list[float] = []
    here.parts.kept_log.await_records = lambda seconds, besides=(): waits.append(seconds)  # type: ignore[method-assign]
    here.parts.outbox._lost_s = time.monotonic() - SETTLE_MAX_S
    here.parts.link.commands.call(lambda redis: redis.flushall())
    with pytest.raises(AnotherLog):
        here.publish()
    here.publish()
    assert waits == []
    assert [type_ for type_, _ in published(here)] == ["message.created"]


def test_what_was_committed_here_is_in_no_lost_log_and_is_not_waited_for(set_up: Set) -> None:
    here = set_up()
    ada = here.person("Ada")
    here.read()
    here.parts.link.commands.call(lambda redis: redis.flushall())
    id_ = here.send(ada, "general")
    began_s = time.monotonic()
    here.parts.outbox._flush()
    assert place(here, id_) > 0
    # It would be all of this.
    assert time.monotonic() - began_s < SETTLE_S / 2


def test_on_another_server_it_may_have_been_published_before_the_answer_was_lost(set_up: Set) -> None:
    here = set_up()
    ada = here.person("Ada")
    here.read()
    here.send(ada, "general")
    here.parts.live_log._known = here.parts.live_log._known.rpartition(b":")[0] + b":of-another-server"
    waits: list[tuple[float, list[str]]] = []
    here.parts.kept_log.await_records = lambda seconds, besides=(): waits.append((seconds, list(besides)))  # type: ignore[method-assign]
    here.parts.outbox._flush()
    # It is waited for like what others are recording.
    assert waits == [(SETTLE_S, [])]


def test_where_each_answer_is_of_another_log_the_loop_makes_pauses(
    set_up: Set, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = set_up()
    ada = here.person("Ada")
    here.read()
    met: list[bytes] = []

    def another(_: LiveLog) -> None:
        met.append(b"")
        raise AnotherLog(0.0, elsewhere=True)

    monkeypatch.setattr(LiveLog, "meet", another)
    here.parts.outbox._met = False
    here.send(ada, "general")
    for times in (2, 3):
        with pytest.raises(AnotherLog):
            here.publish()
        assert len(met) == times
    monkeypatch.undo()
    here.publish()
    assert [type_ for type_, _ in published(here)] == ["member.joined", "message.created"]


def test_a_new_worker_asks_which_log_it_is_before_anything_is_committed(set_up: Set) -> None:
    """Later, what it commits itself would be waited for like what a dead one left."""
    here = set_up()
    here.parts.live_log._known = b""
    here.parts.outbox.start()
    try:
        assert here.parts.live_log._known
    finally:
        here.parts.outbox.stop()


def test_rows_that_get_the_numbers_of_others_are_published_all_the_same(stage: Stage) -> None:
    """As where a backup is restored beside the Redis that saw what came after it."""
    ada = stage.person("Ada")
    lost = [stage.send(ada, "general", f"lost {number}") for number in range(3)]
    stage.settle()
    for id_ in lost:
        stage.write("DELETE FROM events WHERE message_id = :id", id=id_)
        stage.write("DELETE FROM messages WHERE id = :id", id=id_)
    stage.write("UPDATE sqlite_sequence SET seq = (SELECT MAX(number) FROM events) WHERE name = 'events'")
    before = len(published(stage))
    shown = stage.parts.live_log.last()
    ids = [stage.send(ada, "general", f"new {number}") for number in range(3)]
    stage.publish()
    again = published(stage)
    assert [number for _, number in again[before:]] == [number for _, number in again[before - 3 : before]]
    assert all(place(stage, id_) > shown for id_ in ids)


@pytest.mark.parametrize("apart_ms", [-600_000, 600_000])
def test_clocks_that_differ_repeat_nothing(set_up: Set, monkeypatch: pytest.MonkeyPatch, apart_ms: int) -> None:
    one, other = set_up(), set_up()
    entries, before = read_and_published(one)
    monkeypatch.setattr("chatapp.eventlog.live_log.now_ms", lambda: now_ms() + apart_ms)
    other.parts.outbox._publish(entries, Cursor(0))
    assert published(one) == before


def test_what_was_read_longer_ago_than_anybody_remembers_is_read_again(
    set_up: Set, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that stood still for minutes goes on with what it was about to publish."""
    monkeypatch.setattr("chatapp.eventlog.live_log.REMEMBERED", 10)
    here, other = set_up(), set_up()
    ada = here.person("Ada")
    here.settle()
    id_ = here.send(ada, "general", "published by another, while this worker stood still")
    assert list(here.parts.outbox._fresh)
    other.publish()
    first = place(other, id_)
    for number in range(30):
        other.send(ada, "general", f"{number}")
        other.settle()
    before = published(other)
    here.parts.outbox._looked_s = time.monotonic()
    with pytest.raises(LongAgo):
        here.parts.outbox._flush()
    assert published(other) == before
    last = here.send(ada, "general", "and this one is new")
    here.parts.outbox._flush()
    assert (place(here, id_), place(here, last) > first) == (first, True)
    assert len(published(here)) == len(before) + 1


def test_a_long_queue_is_left_to_whoever_gets_on_with_it(set_up: Set, monkeypatch: pytest.MonkeyPatch) -> None:
    """After Redis was away all workers find the same rows, and each of them published and recorded all."""
    other, here = set_up(), set_up()
    ada = other.person("Ada")
    here.read()
    here.publish()
    ids = [other.send(ada, "general", f"{number}") for number in range(6)]
    asked: list[int] = []

    def meanwhile(_seconds: float) -> None:
        entries = other.parts.kept_log.unpublished(2)
        other.parts.outbox._publish(entries, Cursor(0))
        # And the next two are in the log already.
        other.parts.live_log.publish(other.parts.kept_log.unpublished(2), Cursor(0), Cursor(0), {})
        here.read()

    monkeypatch.setattr("chatapp.eventlog.outbox.sleep", meanwhile)
    publish = here.parts.live_log.publish
    monkeypatch.setattr(here.parts.live_log, "publish", lambda *given: asked.append(len(given[0])) or publish(*given))
    other.parts.live_log.publish(other.parts.kept_log.unpublished(2), Cursor(0), Cursor(0), {})
    here.read()
    here.parts.outbox._asked = True
    here.parts.outbox._flush()
    assert asked == []
    assert all(place(here, id_) for id_ in ids)


def test_long_messages_are_published_a_few_at_a_time(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reply may have 32,000 characters: of 500 at once Redis would take longer than it is given."""
    monkeypatch.setattr("chatapp.eventlog.outbox.PUBLISH_MAX_CHARS", 3_000)
    ada = stage.person("Ada")
    stage.parts.outbox._fresh.clear()
    ids = [stage.send(ada, "general", "x" * 1_000) for _ in range(10)]
    publish, sizes = stage.parts.live_log.publish, []
    monkeypatch.setattr(stage.parts.live_log, "publish", lambda *given: sizes.append(len(given[0])) or publish(*given))
    stage.publish()
    assert max(sizes) <= 3
    assert sum(sizes) == len(ids)
    assert all(place(stage, id_) for id_ in ids)
