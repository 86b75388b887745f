"""History: a room's past page by page, also while much of it waits to be published."""

import pytest

from chatapp.receiving import history
from chatapp.storage import Message
from chatapp.wire import Cursor
from tests.support.stage import Stage

LIMIT = 4


def page(stage: Stage, before: str | None) -> history.Page:
    room = stage.one("SELECT id FROM rooms WHERE name = 'general'")
    cursor = None if before is None else Cursor.parse(before)
    return stage.parts.database.read(lambda tx: history.page(tx, room, cursor, None, LIMIT))


def bodies(messages: list[Message]) -> list[str]:
    return [one.body for one in messages]


@pytest.mark.parametrize("published", range(7))
@pytest.mark.parametrize("waiting", [0, 1, 4, 5, 8, 11])
def test_every_message_is_on_one_page(stage: Stage, published: int, waiting: int) -> None:
    ada = stage.person("Ada")
    said = [f"{number}" for number in range(published + waiting)]
    for body in said[:published]:
        stage.say(ada, "general", body)
    for body in said[published:]:
        stage.send(ada, "general", body)
    found: list[str] = []
    before, more = None, True
    while more:
        part = page(stage, before)
        assert len(part.messages) == LIMIT or not part.has_more
        found = bodies(part.messages) + found
        before, more = part.before, part.has_more
    assert found == said


@pytest.mark.parametrize("after_pages", [1, 2])
def test_what_is_published_meanwhile_is_not_passed_over(stage: Stage, after_pages: int) -> None:
    """It may come twice: whoever shows it knows it by its id."""
    ada = stage.person("Ada")
    said = [f"{number}" for number in range(14)]
    for body in said:
        stage.send(ada, "general", body)
    found: set[str] = set()
    before, more, pages = None, True, 0
    while more:
        part = page(stage, before)
        found |= set(bodies(part.messages))
        before, more, pages = part.before, part.has_more, pages + 1
        if pages == after_pages:
            stage.settle()
    assert found == set(said)


def test_where_a_page_of_waiting_messages_begins_is_no_place_of_the_log(stage: Stage) -> None:
    ada = stage.person("Ada")
    for number in range(3 * LIMIT):
        stage.send(ada, "general", f"{number}")
    newest = page(stage, None)
    assert newest.after is None
    assert newest.before is not None
    # Above all that is ever handed out, so that nobody takes it for the place of a message.
    assert Cursor.parse(newest.before) > stage.parts.tail.end
    far = page(stage, "18446744073709551615-0")
    assert bodies(far.messages) == bodies(newest.messages)
