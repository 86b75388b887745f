"""Replies that grow, as a worker knows them: parts in their order, and nothing of what has ended."""

from typing import Any

import gevent
import pytest

from chatapp.people import Identity
from chatapp.receiving import growing_now as module
from chatapp.wire import Content
from chatapp.wire import Signal
from tests.support.person import new_local_id
from tests.support.stage import Stage


@pytest.fixture
def ada(stage: Stage) -> Identity:
    return stage.person("Ada")


def begin(stage: Stage, who: Identity, body: str = "") -> str:
    id_: str = stage.parts.messaging.store(who, "general", new_local_id(), Content(body, growing=True)).document["id"]
    stage.settle()
    return id_


def part(id_: str, at: int, text: str) -> Signal:
    return Signal("message.grew", 1, {"room": "general", "messageId": id_, "at": at, "text": text})


def passed_on(stage: Stage) -> list[tuple[int, str]]:
    told: list[tuple[int, str]] = []
    stage.parts.growing_now.on_signal = [lambda signal: told.append((signal.body["at"], signal.body["text"]))]
    return told


def given(stage: Stage, who: Identity) -> list[dict[str, Any]]:
    waiter = stage.parts.feed.waiter(who, "poll")
    waiter.rooms = (1,)
    return [event.body for event in stage.parts.growing_now.given_to(waiter)]


def test_parts_of_several_workers_are_passed_on_in_their_order(stage: Stage, ada: Identity) -> None:
    id_, told = begin(stage, ada), passed_on(stage)
    for at, text in ((4, "two "), (8, "three"), (0, "one ")):
        stage.parts.growing_now.hear(part(id_, at, text))
    assert told == [(0, "one "), (4, "two "), (8, "three")]
    assert [one["text"] for one in given(stage, ada)] == ["one two three"]


def test_a_part_that_never_comes_is_not_waited_for(
    stage: Stage, ada: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GAP_S", 0.01)
    id_, told = begin(stage, ada), passed_on(stage)
    stage.parts.growing_now.hear(part(id_, 4, "two"))
    assert told == []
    with gevent.Timeout(5):
        while not told:
            gevent.sleep(0.01)
    assert told == [(4, "two")]
    # It is looked up.
    assert stage.parts.growing_now._missed


def test_what_ended_unheard_is_forgotten(stage: Stage, ada: Identity) -> None:
    id_, other = begin(stage, ada, "draft"), begin(stage, ada, "goes on")
    assert len(given(stage, ada)) == 2
    stage.parts.changes.finish(ada, id_, "the end")
    stage.publish()
    # The log was lost before this worker read of it.
    stage.parts.growing_now.look_again()
    stage.parts.growing_now._load()
    assert [(one["messageId"], one["text"]) for one in given(stage, ada)] == [(other, "goes on")]


def test_what_grew_in_a_deleted_room_is_forgotten(stage: Stage, ada: Identity) -> None:
    stage.room(ada, "team")
    stage.parts.messaging.store(ada, "team", new_local_id(), Content("so far", growing=True))
    stage.settle()
    assert len(stage.parts.growing_now._replies) == 1
    stage.parts.rooms.delete(ada, "team")
    stage.settle()
    assert not stage.parts.growing_now._replies


def test_whoever_is_no_member_adds_nothing_however_much_they_began(
    stage: Stage, ada: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatapp.people.membership.ENDED_MAX", 2)
    ids = [begin(stage, ada) for _ in range(4)]
    stage.parts.rooms.remove(ada, "general", ada.id)
    stage.settle()
    for id_ in ids:
        with pytest.raises(Exception, match=r"grows no more|0 code points"):
            stage.parts.appends.append(ada, id_, 0, "still here")
    stage.parts.grown_text._end_idle()
    assert stage.one("SELECT count(*) FROM growths") == 0
    assert [stage.message(id_).body for id_ in ids] == [""] * 4
