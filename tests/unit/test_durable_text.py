"""The text of a message as it grows: by its signals, and by the database where one of them did not come."""

import pytest

from chatapp.eventlog import Waiter
from chatapp.people import Identity
from chatapp.receiving import GrowingText
from chatapp.receiving import Wanted
from chatapp.receiving import grows
from chatapp.receiving import history
from chatapp.wire import Content
from chatapp.wire import Signal
from tests.support.person import new_local_id
from tests.support.stage import Stage


@pytest.fixture
def ada(stage: Stage) -> Identity:
    return stage.person("Ada")


@pytest.fixture
def bob(stage: Stage) -> Identity:
    return stage.person("Bob")


class Reply:
    """One that Ada writes, and Bob reads."""

    def __init__(self, stage: Stage, ada: Identity, bob: Identity) -> None:
        self.stage, self.ada, self.loads = stage, ada, 0
        stage.room(ada, "team", "private", (bob,))
        draft = Content("so ", growing=True)
        self.id: str = stage.parts.messaging.store(ada, "team", new_local_id(), draft).document["id"]
        stage.settle()
        self.waiter: Waiter = stage.parts.feed.waiter(bob, "poll", grows(self.id))
        reader = stage.parts.feed.open(self.waiter, bob, Wanted(frozenset(("team",))), None)

        def load() -> object:
            self.loads += 1
            return stage.parts.database.read(lambda tx: history.message(tx, bob, self.id))

        self.text = GrowingText(self.id, load, reader, self.waiter)  # type: ignore[arg-type]

    def append(self, at: int, text: str, *, tell: bool = True) -> None:
        self.stage.parts.appends.append(self.ada, self.id, at, text)
        if tell:
            room_id = self.waiter.rooms[0]
            body = {"room": "team", "messageId": self.id, "at": at, "text": text}
            self.stage.parts.signals.take(Signal("message.grew", room_id, body))

    def look(self) -> str:
        self.text.wait(len(self.text.text), 0.0)
        return self.text.text


@pytest.fixture
def reply(stage: Stage, ada: Identity, bob: Identity) -> Reply:
    return Reply(stage, ada, bob)


def test_signals_bring_what_is_added_without_the_database(reply: Reply) -> None:
    assert reply.look() == "so "
    reply.append(3, "far, ")
    reply.append(8, "so good")
    assert (reply.look(), reply.loads) == ("so far, so good", 1)


def test_what_a_lost_signal_leaves_out_is_loaded(reply: Reply) -> None:
    reply.append(3, "far, ", tell=False)
    reply.append(8, "so good")
    assert (reply.look(), reply.loads) == ("so far, so good", 2)


def test_a_signal_that_is_late_adds_nothing(reply: Reply) -> None:
    reply.append(3, "far", tell=False)
    reply.text.load()
    body = {"room": "team", "messageId": reply.id, "at": 3, "text": "far"}
    reply.stage.parts.signals.take(Signal("message.grew", reply.waiter.rooms[0], body))
    assert reply.look() == "so far"


def test_when_the_time_is_over_it_is_loaded_once_more(reply: Reply) -> None:
    reply.append(3, "far", tell=False)
    assert reply.look() == "so "
    reply.text.wait(3, 0.01)
    assert reply.text.text == "so far"


def test_only_signals_of_this_message_are_heard(reply: Reply) -> None:
    room_id = reply.waiter.rooms[0]
    body = {"room": "team", "messageId": "another", "at": 3, "text": "far"}
    reply.stage.parts.signals.take(Signal("message.grew", room_id, body))
    reply.stage.parts.signals.take(Signal("typing", room_id, {"room": "team", "user": {}, "typing": True}))
    assert not reply.waiter.signals


def test_the_log_tells_of_its_end(reply: Reply) -> None:
    reply.stage.parts.changes.finish(reply.ada, reply.id, "another text")
    assert not reply.text.closed
    reply.stage.settle()
    assert (reply.look(), reply.text.closed, reply.loads) == ("another text", True, 1)


def test_a_withdrawal_leaves_nothing(reply: Reply) -> None:
    reply.stage.parts.changes.withdraw(reply.ada, reply.id)
    reply.stage.settle()
    assert (reply.look(), reply.text.closed, reply.loads) == ("", True, 1)


def test_the_log_tells_that_it_may_not_be_read_any_more(reply: Reply, bob: Identity) -> None:
    reply.stage.parts.rooms.remove(reply.ada, "team", bob.id)
    reply.stage.settle()
    reply.append(3, "secret")
    assert (reply.look(), reply.text.lost) == ("so ", True)
