"""KeptEvents: remembered for all who read them, and never older than what this worker has heard."""

from collections.abc import Callable
from typing import Any

import pytest

from chatapp.people import Identity
from chatapp.wire import Cursor
from tests.support.stage import Stage
from tests.unit.conftest import Set


@pytest.fixture
def ada(stage: Stage) -> Identity:
    return stage.person("Ada")


@pytest.fixture
def past(stage: Stage, ada: Identity) -> Cursor:
    """Where three messages begin that only the database has."""
    since = stage.parts.tail.end
    for body in ("one", "two", "three"):
        stage.say(ada, "general", body)
    stage.forget_window()
    return since


def loads(stage: Stage, read: Callable[[], object]) -> int:
    """How often rows are asked for meanwhile."""
    load, asked = stage.parts.kept_events._load, [0]

    def watched(places: Any) -> Any:
        asked[0] += bool(places)
        return load(places)

    stage.parts.kept_events._load = watched  # type: ignore[method-assign]
    read()
    stage.parts.kept_events._load = load  # type: ignore[method-assign]
    return asked[0]


def message_id(stage: Stage, body: str) -> str:
    found: str = stage.one("SELECT id FROM messages WHERE body = :body", body=body)
    return found


def place_of(stage: Stage, body: str) -> tuple[int, int]:
    """Row number and place of the event that created the message."""
    id_ = message_id(stage, body)
    number = stage.one("SELECT number FROM events WHERE message_id = :id AND type = 'message.created'", id=id_)
    return number, stage.one("SELECT log_id FROM events WHERE number = :number", number=number)


def test_what_one_has_read_the_next_does_not_ask_for(stage: Stage, ada: Identity, past: Cursor) -> None:
    assert stage.bodies(ada, past) == ["one", "two", "three"]
    assert loads(stage, lambda: stage.bodies(ada, past)) == 0


@pytest.mark.parametrize("change", ["edit", "withdraw"])
def test_a_change_is_seen_at_once(stage: Stage, ada: Identity, past: Cursor, change: str) -> None:
    stage.bodies(ada, past)
    id_ = message_id(stage, "two")
    if change == "edit":
        stage.parts.changes.edit(ada, id_, {"body": "2"})
    else:
        stage.parts.changes.withdraw(ada, id_)
    stage.settle()
    stage.forget_window()
    assert stage.bodies(ada, past) == ["one", "2" if change == "edit" else "", "three"]


def test_a_change_by_another_worker_is_seen_once_it_is_heard(set_up: Set) -> None:
    here, there = set_up(), set_up()
    ada = here.person("Ada")
    since = here.parts.tail.end
    here.say(ada, "general", "draft")
    there.read()
    there.forget_window()
    assert there.bodies(ada, since) == ["draft"]
    here.parts.changes.edit(ada, message_id(here, "draft"), {"body": "final"})
    here.settle()
    there.read()
    there.forget_window()
    assert there.bodies(ada, since) == ["final"]


def test_a_change_that_is_heard_while_the_row_is_read_is_not_overwritten(
    stage: Stage, ada: Identity, past: Cursor
) -> None:
    place, id_, read = place_of(stage, "two"), message_id(stage, "two"), stage.parts.database.read

    def read_and_change(work: Any) -> Any:
        found = read(work)
        stage.parts.database.read = read  # type: ignore[method-assign]
        stage.parts.changes.edit(ada, id_, {"body": "2"})
        stage.settle()
        return found

    stage.parts.database.read = read_and_change  # type: ignore[method-assign]
    [stale] = stage.parts.kept_events.events([place])
    assert stale.body["message"]["body"] == "two"
    [fresh] = stage.parts.kept_events.events([place])
    assert fresh.body["message"]["body"] == "2"


def test_after_a_break_everything_is_asked_for_again(stage: Stage, ada: Identity, past: Cursor) -> None:
    stage.bodies(ada, past)
    stage.write("UPDATE messages SET body = 'by hand' WHERE body = 'two'")
    assert stage.bodies(ada, past) == ["one", "two", "three"]
    stage.parts.tail._tell_break()
    assert stage.bodies(ada, past) == ["one", "by hand", "three"]


def test_while_nothing_is_heard_nothing_is_remembered(stage: Stage, ada: Identity, past: Cursor) -> None:
    stage.bodies(ada, past)
    stage.parts.tail._following = False
    assert loads(stage, lambda: stage.bodies(ada, past)) > 0


def test_what_was_published_again_at_a_later_place_is_another_event(stage: Stage, ada: Identity, past: Cursor) -> None:
    number, place = place_of(stage, "one")
    [first] = stage.parts.kept_events.events([(number, place)])
    [again] = stage.parts.kept_events.events([(number, place + 7)])
    assert (first.cursor, again.cursor) == (place, place + 7)


def test_its_memory_of_changes_has_a_bound(
    stage: Stage, ada: Identity, past: Cursor, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept_events = stage.parts.kept_events
    monkeypatch.setattr("chatapp.eventlog.kept_events.CHANGES_REMEMBERED", 2)
    stage.bodies(ada, past)
    for number in range(5):
        kept_events._change(f"message-{number}")
    assert len(kept_events._changed) == 2
    # Nobody knows any more which messages the forgotten changes were of.
    assert loads(stage, lambda: stage.bodies(ada, past)) > 0
