"""Reader and catching up: the same from the window and from the database, at the cost of what is given."""

import random
import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from chatapp.people import Identity
from chatapp.receiving import catch_up
from chatapp.receiving.catch_up_query import Found
from chatapp.receiving.catch_up_query import horizon
from chatapp.wire import Cursor
from chatapp.wire import Event
from tests.support.stage import Stage
from tests.unit.conftest import Set

Forget = Callable[[Stage], None]


@pytest.fixture(params=["window", "database"])
def forget(request: pytest.FixtureRequest) -> Forget:
    """Makes the past come from the window or from the database."""
    return Stage.forget_window if request.param == "database" else lambda stage: None


def test_all_that_was_said_behind_the_cursor_and_nothing_else(stage: Stage, forget: Forget) -> None:
    ada, bob = stage.person("Ada"), stage.person("Bob")
    stage.room(ada, "team", members=(bob,))
    since = stage.say(ada, "team", "before")["cursor"]
    for number in range(7):
        stage.say(ada, "team", f"{number}")
    stage.room(ada, "secret", "private")
    stage.say(ada, "secret", "not for Bob")
    forget(stage)
    assert stage.bodies(bob, since) == [f"{number}" for number in range(7)]
    assert stage.bodies(bob, since, "team", limit=2) == [f"{number}" for number in range(7)]
    assert stage.bodies(bob, stage.parts.tail.end) == []


def test_a_page_ends_at_its_limit_and_goes_on_from_there(stage: Stage, forget: Forget) -> None:
    ada = stage.person("Ada")
    since = stage.parts.tail.end
    for number in range(10):
        stage.say(ada, "general", f"{number}")
    forget(stage)
    reader = stage.reader(ada, since)
    positions = []
    while reader.behind:
        events = reader.read(4, 2**20)
        assert len(events) <= 4
        if events:
            assert events[-1].cursor == reader.position
        positions.append(reader.position)
    assert positions == sorted(positions)
    assert reader.position == stage.parts.tail.end


def test_what_is_for_another_alone_is_passed_over(stage: Stage, forget: Forget) -> None:
    ada, bob = stage.person("Ada"), stage.person("Bob")
    since = stage.parts.tail.end
    sent = stage.say(ada, "general")
    stage.reader(bob, sent["cursor"])
    stage.settle()
    forget(stage)
    types = {who.name: [one.type for one in stage.told(stage.reader(who, since))] for who in (ada, bob)}
    assert types == {"Ada": ["message.created", "message.status"], "Bob": ["message.created"]}


def test_of_a_room_that_was_left_and_joined_again_only_the_time_of_belonging(stage: Stage, forget: Forget) -> None:
    ada, bob = stage.person("Ada"), stage.person("Bob")
    stage.room(ada, "team", members=(bob,))
    since = stage.parts.tail.end
    stage.say(ada, "team", "with Bob")
    stage.parts.rooms.remove(bob, "team", bob.id)
    stage.settle()
    stage.say(ada, "team", "behind his back")
    stage.parts.rooms.add(bob, "team", bob.id)
    stage.settle()
    stage.say(ada, "team", "with him again")
    forget(stage)
    events = stage.told(stage.reader(bob, since))
    said = [one.body["message"]["body"] for one in events if one.type == "message.created"]
    assert said == ["with Bob", "with him again"]
    assert [one.type for one in events if one.about == bob.id] == ["member.left", "member.joined"]


def test_of_rooms_asked_for_by_name_the_leaving_and_no_others(stage: Stage, forget: Forget) -> None:
    ada, bob = stage.person("Ada"), stage.person("Bob")
    for name in ("one", "two"):
        stage.room(ada, name, "private", members=(bob,))
    since = stage.parts.tail.end
    reader = stage.reader(bob, since, "one")
    for name in ("one", "two"):
        stage.parts.rooms.remove(ada, name, bob.id)
    stage.settle()
    stage.say(ada, "one", "Bob must not hear")
    forget(stage)
    assert [(one.type, one.room_name) for one in stage.told(reader)] == [("member.left", "one")]


def test_what_has_no_cursor_yet_is_given_at_the_seam(stage: Stage) -> None:
    """Published by a worker that died before it recorded the place."""
    ada = stage.person("Ada")
    since = stage.parts.tail.end
    stage.send(ada, "general", "in the log, not in the database")
    [entry] = stage.parts.kept_log.unpublished(200)
    stage.parts.live_log.publish([entry], Cursor(0), Cursor(0), {})
    stage.read()
    stage.forget_window()
    assert stage.bodies(ada, since) == ["in the log, not in the database"]


def test_what_is_pending_behind_a_removal_is_not_given_by_name_either(set_up: Set) -> None:
    """This worker has not read of the removal yet, and finds in the database what was said after it."""
    here, elsewhere = set_up(), set_up()
    ada, bob = here.person("Ada"), here.person("Bob")
    here.room(ada, "team", "private", members=(bob,))
    elsewhere.read()
    reader = here.reader(bob, here.parts.tail.end, "team")
    here.say(ada, "general")
    here.forget_window()
    elsewhere.parts.rooms.remove(ada, "team", bob.id)
    elsewhere.send(ada, "team", "behind his back")
    assert here.parts.known_rooms.membership(bob, "team") is not None
    told = here.told(reader)
    elsewhere.publish()
    here.read()
    told += here.told(reader)
    assert [event.type for event in told] == ["member.left"]


@pytest.mark.parametrize("seed", range(4))
def test_far_behind_in_many_rooms_nothing_is_missed_or_told_twice(
    stage: Stage, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Busy rooms and quiet ones, and pages that end in the middle of both."""
    monkeypatch.setattr(catch_up, "LOOKED_AT_MIN", 6)
    monkeypatch.setattr(catch_up, "OF_ROOM_MIN", 2)
    chance = random.Random(seed)
    ada, bob = stage.person("Ada"), stage.person("Bob")
    names = [f"room-{number}" for number in range(6)]
    for name in names:
        stage.room(ada, name, members=(bob,))
    since = stage.parts.tail.end
    said = []
    for number in range(80):
        stage.send(ada, chance.choices(names, [20, 8, 3, 1, 1, 0])[0], f"{number}")
        said.append(f"{number}")
    stage.settle()
    stage.forget_window()
    for limit in (1, 3, 50):
        assert stage.bodies(bob, since, limit=limit) == said


def test_a_page_of_the_past_reads_about_what_it_gives(stage: Stage) -> None:
    """Not all that is left of all rooms, sorted, for every page."""
    ada = stage.person("Ada")
    ids = [stage.room(ada, f"room-{number}") for number in range(5)]
    stage.write(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
        "INSERT INTO messages (id, room_id, sender_id, local_id, content_hash, body, status, created_at, log_id) "
        "SELECT 'm' || i, :first + i % 5, :who, 'local-' || i, '', 'x', 'delivered', '2026-01-01 00:00:00', :from + i "
        "FROM n",
        first=ids[0],
        who=ada.id,
        **{"from": int(stage.parts.tail.end)},
    )
    stage.write(
        "INSERT INTO events (room_id, type, message_id, log_id) "
        "SELECT room_id, 'message.created', id, log_id FROM messages WHERE id LIKE 'm%'"
    )
    since = stage.parts.tail.end
    stage.parts.tail.window.reset(Cursor(stage.one("SELECT MAX(log_id) FROM events")))
    reader = stage.reader(ada, since)
    steps = stage.steps(lambda: reader.read(200, 2**20))
    print(f"{steps} steps of SQLite's machine for a page of 200 out of 20,000")
    # Some hundred steps for each event that is given; sorting all that is left takes several millions.
    assert steps < 400_000


def test_a_page_ends_with_the_event_that_reaches_its_size(stage: Stage, forget: Forget) -> None:
    """A thousand long messages would be sixteen megabytes for a reader who takes nothing."""
    ada = stage.person("Ada")
    since = stage.parts.tail.end
    said = [f"{number}" + "€" * 3000 for number in range(150)]
    for body in said:
        stage.send(ada, "general", body)
    stage.settle()
    forget(stage)
    reader = stage.reader(ada, since)
    pages = []
    while reader.behind:
        pages.append(reader.read(200, 50_000))
    assert [event.body["message"]["body"] for page in pages for event in page] == said
    assert max(sum(len(event.frame) for event in page) for page in pages) < 50_000 + 2 * len(pages[0][0].frame)


def moved_about(stage: Stage, who: Identity, room_id: int, times: int) -> None:
    """This often out of the room and in again, with something said after each, as the log and the database have it."""
    stage.write(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :most) "
        "INSERT INTO events (room_id, type, user_id, message_id, log_id) SELECT :room, "
        "CASE i % 4 WHEN 1 THEN 'member.left' WHEN 3 THEN 'member.joined' ELSE 'message.updated' END, "
        "CASE WHEN i % 2 = 1 THEN :who END, CASE WHEN i % 2 = 0 THEN :message END, :end + i FROM n",
        most=4 * times,
        room=room_id,
        who=who.id,
        message=stage.send(who, "general"),
        end=int(stage.parts.tail.end),
    )
    stage.settle()


def test_ten_thousand_moves_are_read_page_by_page(stage: Stage) -> None:
    """Each row was compared with all of them: a poll over 6,400 moves stopped the worker for seconds."""
    ada = stage.person("Ada")
    room_id = stage.room(ada, "team")
    since = stage.parts.tail.end
    moved_about(stage, ada, room_id, 5_000)
    stage.parts.tail.window.reset(Cursor(stage.one("SELECT MAX(log_id) FROM events")))
    reader = stage.reader(ada, since)
    steps = stage.steps(lambda: reader.read(200, 2**20))
    print(f"{steps} steps of SQLite's machine")
    assert steps < 400_000
    types = [event.type for event in stage.told(reader)]
    # What was said while Ada was away is left to the history.
    assert set(pairwise(types)) >= {("member.left", "member.joined")}
    assert "message.updated" not in [after for before, after in pairwise(types) if before == "member.left"]


def test_ten_thousand_moves_of_the_window_are_read_in_one_walk(stage: Stage) -> None:
    ada = stage.person("Ada")
    room_id = stage.room(ada, "team")
    since = stage.parts.tail.end
    window = stage.parts.tail.window
    for number in range(1, 9_001):
        body = {"room": "team", "user": {"id": ada.id, "name": "Ada"}}
        type_ = "member.left" if number % 2 else "member.joined"
        cursor = Cursor(since + number)
        window.append(Event(cursor, type_, room_id, body, about=ada.id), cursor)
    reader = stage.reader(ada, since)
    before_s = time.process_time()
    told = stage.told(reader, limit=1000)
    spent_s = time.process_time() - before_s
    print(f"{spent_s * 1000:.0f} ms for {len(told)} moves")
    assert len(told) == 9_000
    # Before, 30 s for so many; now some tens of milliseconds for each page of a thousand.
    assert spent_s < 4.0


def test_whoever_may_see_nothing_of_it_is_not_slower_by_a_small_limit(stage: Stage) -> None:
    """A poll of `limit=1` over 3,000 messages said while its user was away took a page for each."""
    ada, bob = stage.person("Ada"), stage.person("Bob")
    room_id = stage.room(ada, "team", members=(bob,))
    since = stage.parts.tail.end
    stage.parts.rooms.remove(bob, "team", bob.id)
    stage.settle()
    said = stage.say(ada, "team")["id"]
    stage.write(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
        "INSERT INTO events (room_id, type, message_id, log_id) "
        "SELECT :room, 'message.updated', :said, :end + i FROM n",
        room=room_id,
        said=said,
        end=int(stage.parts.tail.end),
    )
    stage.parts.tail.window.reset(Cursor(stage.one("SELECT MAX(log_id) FROM events")))
    stage.parts.tail._floor = stage.parts.tail.end
    stage.parts.rooms.add(bob, "team", bob.id)
    stage.settle()
    stage.forget_window()
    reader = stage.reader(bob, since)
    pages = 0
    told = []
    while reader.behind:
        told += reader.read(1, 2**20)
        pages += 1
    assert [event.type for event in told] == ["member.left", "member.joined"]
    assert pages < 20


def test_by_name_the_leaving_is_told_behind_the_first_page(stage: Stage) -> None:
    ada, bob = stage.person("Ada"), stage.person("Bob")
    for name in ("one", "two"):
        stage.room(ada, name, "private", members=(bob,))
    reader = stage.reader(bob, stage.parts.tail.end, "one", "two")
    for number in range(6):
        stage.say(ada, "two", f"{number}")
    stage.parts.rooms.remove(ada, "one", bob.id)
    stage.settle()
    stage.forget_window()
    told = stage.told(reader, limit=3)
    assert [(event.type, event.room_name) for event in told][-1] == ("member.left", "one")
    assert len(told) == 7


def test_whoever_joins_a_large_room_with_an_old_cursor_does_not_walk_through_its_past(stage: Stage) -> None:
    """A new guest who begins at 0-0 read all of `general` to be given nothing of it: seconds for a hundred thousand."""
    ada, bob = stage.person("Ada"), stage.person("Bob")
    room_id = stage.room(ada, "team")
    said = stage.say(ada, "team")["id"]
    since = stage.parts.tail.end
    stage.write(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) "
        "INSERT INTO events (room_id, type, message_id, log_id) "
        "SELECT :room, 'message.updated', :said, :end + i FROM n",
        room=room_id,
        said=said,
        end=int(since),
    )
    stage.parts.tail.window.reset(Cursor(stage.one("SELECT MAX(log_id) FROM events")))
    stage.parts.tail._floor = stage.parts.tail.end
    stage.parts.rooms.add(bob, "team", bob.id)
    stage.settle()
    stage.say(ada, "team", "after it")
    stage.forget_window()
    reader = stage.reader(bob, since)
    steps = stage.steps(lambda: reader.read(200, 2**20))
    print(f"{steps} steps of SQLite's machine")
    assert steps < 100_000
    assert not reader.behind
    assert stage.bodies(bob, since) == ["after it"]


def found(room_id: int, log_id: int) -> Found:
    return Found(log_id, room_id, "x", "message.created", None, None, log_id)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], 100),
        ([(1, 10), (2, 20)], 100),
        # Room 1 was cut off at its second.
        ([(1, 10), (2, 20), (1, 30), (2, 25)], 30),
        # The whole was cut off.
        ([(1, 10), (2, 20), (3, 30), (4, 40), (5, 50)], 50),
    ],
)
def test_the_horizon_lies_where_something_was_cut_off(rows: list[tuple[int, int]], expected: int) -> None:
    assert horizon([found(*row) for row in rows], of_room=2, most=5, until=100) == expected


def test_nobody_is_given_anothers_rooms_by_an_old_cursor(stage: Stage, forget: Forget) -> None:
    ada, eve = stage.person("Ada"), stage.person("Eve")
    stage.room(ada, "secret", "private")
    stage.say(ada, "secret", "for Ada alone")
    forget(stage)
    assert "for Ada alone" not in stage.bodies(eve, "0-0")
    assert "for Ada alone" in stage.bodies(ada, "0-0")


def test_an_identity_with_a_claim_knows_no_other_rooms(stage: Stage, forget: Forget) -> None:
    ada = stage.person("Ada")
    since = stage.parts.tail.end
    for name in ("one", "two"):
        stage.room(ada, name)
        stage.say(ada, name, f"in {name}")
    claimed = Identity(ada.id, ada.name, ada.session_id, ada.expires_at, ada.ends_at, frozenset({"two"}))
    forget(stage)
    events = stage.told(stage.reader(claimed, since))
    assert {one.room_name for one in events} == {"two"}


def test_who_belongs_to_a_room_and_who_visits_it_share_nothing(stage: Stage) -> None:
    ada, bob = stage.person("Ada"), stage.person("Bob")
    id_ = stage.room(ada, "team")
    for _ in range(2):
        member = stage.reader(ada, stage.parts.tail.end, "team").listener
        visitor = stage.reader(bob, stage.parts.tail.end, "team").listener
        assert (member.rooms, member.visited) == ((id_,), frozenset())
        assert (visitor.rooms, visitor.visited) == ((id_,), frozenset({id_}))
