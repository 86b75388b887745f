"""Unread: counted by a bounded number of statements that each look at a bounded number of rows."""

import pytest

from chatapp.errors import RedisAway
from chatapp.people import access
from chatapp.people import room_list
from chatapp.people import unread
from chatapp.storage import Rows
from chatapp.storage import rows_within
from chatapp.wire import Cursor
from tests.support.stage import Stage
from tests.unit.conftest import Set


@pytest.fixture
def stage(set_up: Set) -> Stage:
    return set_up()


def test_a_page_of_rooms_takes_as_many_statements_as_one_room(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, bob = stage.person("Ada"), stage.person("Bob")
    for number in range(40):
        name = f"room-{number:02d}"
        stage.room(ada, name, members=(bob,))
        for _ in range(3):
            stage.send(ada, name)
    stage.settle()
    asked: list[object] = []
    ask = Rows.ask
    monkeypatch.setattr(Rows, "ask", lambda self, *given: asked.append(given[0]) or ask(self, *given))  # type: ignore[func-returns-value]
    counts = {}
    for limit in (2, 40):
        asked.clear()
        statements = stage.statements(lambda limit=limit: stage.parts.rooms.list(bob, None, limit))
        counts[limit] = statements
        assert asked == [access.OWN, room_list.SHOWN, unread.READS]
    assert counts[2] == counts[40]
    rooms, _ = stage.parts.rooms.list(bob, None, 100)
    assert [room.unread for room in rooms if room.name != "general"] == [3] * 40


def test_no_more_rows_are_looked_at_than_there_is_a_bound_for(stage: Stage) -> None:
    """Somebody withdrew everything that they said."""
    ada, bob = stage.person("Ada"), stage.person("Bob")
    room_id = stage.room(ada, "team", members=(bob,))
    stage.write(
        """WITH RECURSIVE number (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < 20000)
        INSERT INTO messages
          (id, room_id, sender_id, local_id, content_hash, body, status, created_at, deleted_at, log_id)
        SELECT 'message-' || i, :room, :sender, 'local-' || i, '', '', 'sent', '2026-01-01', '2026-01-01', :after + i
        FROM number""",
        room=room_id,
        sender=ada.id,
        after=int(stage.parts.tail.end),
    )
    found = {}

    def read() -> None:
        found.update(stage.parts.database.read(lambda tx: unread.reads(rows_within(tx), bob.id, [room_id])))

    assert stage.steps(read) < 30_000
    assert found[room_id].unread == 0


def test_a_receipt_that_is_older_than_the_joining_changes_nothing(stage: Stage) -> None:
    ada, bob = stage.person("Ada"), stage.person("Bob")
    stage.room(ada, "team")
    before = stage.say(ada, "team")
    stage.parts.rooms.add(bob, "team", bob.id)
    stage.settle()
    stage.say(ada, "team")
    stage.parts.read_receipts.move(bob, "team", Cursor.parse(before["cursor"]))
    found = stage.parts.rooms.get(bob, "team")
    assert (found.read_cursor, found.unread) == (None, 1)


def test_what_was_read_counts_also_while_redis_is_away(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest message is in the log, not in the database yet, and another worker has given it out."""
    ada, bob = stage.person("Ada"), stage.person("Bob")
    stage.room(ada, "team", members=(bob,))
    given = Cursor(Cursor.parse(stage.say(ada, "team")["cursor"]) + (1 << 20))

    def away(*_: object) -> Cursor:
        raise RedisAway("away")

    def read() -> int:
        stage.parts.read_receipts.move(bob, "team", given)
        return stage.parts.rooms.get(bob, "team").read_cursor or 0

    assert read() < given
    monkeypatch.setattr(stage.parts.live_log, "last", away)
    monkeypatch.setattr(stage.parts.link.commands, "_failing", True)
    assert read() == given
