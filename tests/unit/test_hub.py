"""Hub and tail: who is woken by what, who must end, and what happens when the log is not the one that was read."""

import pytest

from chatapp.errors import Unavailable
from chatapp.eventlog import Hub
from chatapp.wire import Cursor
from chatapp.wire import Event
from tests.support.stage import Stage
from tests.unit.conftest import Set


def event(room_id: int, target: str | None = None, about: str | None = None) -> Event:
    return Event(Cursor.at(1), "member.joined", room_id, {"room": "x"}, target=target, about=about)


def test_those_are_woken_whom_an_event_concerns() -> None:
    hub = Hub()
    waiters = {}
    for user, rooms in (("ada", (1, 2)), ("bob", (2,)), ("eve", ())):
        waiters[user] = hub.waiter(user, f"session of {user}", "poll")
        hub.add(waiters[user])
        waiters[user].follow(rooms)

    def woken() -> set[str]:
        found = {user for user, waiter in waiters.items() if waiter.woken}
        for waiter in waiters.values():
            waiter.clear()
        return found

    hub.wake([event(1)], Cursor(0))
    assert woken() == {"ada"}
    hub.wake([event(2, target="bob")], Cursor(0))
    assert woken() == {"bob"}
    hub.wake([event(3, about="eve")], Cursor(0))
    assert woken() == {"eve"}
    hub.wake_all()
    assert woken() == {"ada", "bob", "eve"}


def test_a_session_that_ends_takes_its_connections_with_it_also_those_that_come_late() -> None:
    hub = Hub()
    ada, other = hub.waiter("ada", "one", "poll"), hub.waiter("ada", "another", "poll")
    for waiter in (ada, other):
        hub.add(waiter)
    hub.end_session("one")
    late = hub.waiter("ada", "one", "poll")
    hub.add(late)
    assert [one.closing for one in (ada, other, late)] == ["signed_out", None, "signed_out"]


def test_draining_closes_all_and_the_first_reason_counts() -> None:
    hub = Hub()
    ada = hub.waiter("ada", "one", "poll")
    hub.add(ada)
    hub.end_session("one")
    hub.drain()
    late = hub.waiter("bob", "two", "poll")
    hub.add(late)
    assert (ada.closing, late.closing) == ("signed_out", "shutdown")
    hub.remove(ada)
    hub.remove(late)


def test_the_tail_tells_what_it_read_room_by_room(stage: Stage) -> None:
    ada = stage.person("Ada")
    stage.room(ada, "team")
    for name in ("other", "secret"):
        stage.room(ada, name)
    general, team = (stage.reader(ada, stage.parts.tail.end, name).listener.rooms for name in ("general", "team"))
    told: list[tuple[list[int | None], Cursor]] = []
    read: list[int] = []
    stage.parts.tail.on_news.append(lambda events, before: told.append(([one.room_id for one in events], before)))
    stage.parts.tail.on_read.append(lambda events: read.append(len(events)))
    before = stage.parts.tail.end
    for room in ("secret", "general", "other", "general", "secret", "team", "other", "team", "general", "other"):
        stage.send(ada, room)
    stage.publish()
    stage.read()
    # What nobody here follows goes along with what comes before it.
    assert [rooms for rooms, _ in told] == [[*general] * 2, [*team] * 2, [*general]]
    assert read == [5, 3, 2]
    assert told[0][1] == before
    assert stage.parts.tail.current


def test_whoever_is_somewhere_else_is_told_of_joining_and_leaving(stage: Stage) -> None:
    ada, bob = stage.person("Ada"), stage.person("Bob")
    stage.room(ada, "team")
    reader = stage.reader(bob, stage.parts.tail.end, "general")
    told: list[str] = []
    stage.parts.tail.on_news.append(lambda events, before: told.extend(one.type for one in events))
    stage.say(ada, "team", "nobody here follows it")
    stage.parts.rooms.add(bob, "team", bob.id)
    stage.settle()
    stage.parts.hub.remove(reader.listener)
    stage.parts.rooms.remove(ada, "team", bob.id)
    stage.settle()
    assert told == ["member.joined"]


def test_a_tail_that_has_read_nothing_vouches_for_nothing(set_up: Set) -> None:
    stage = set_up()
    stage.parts.tail._placed = False
    with pytest.raises(Unavailable):
        _ = stage.parts.tail.end


def test_a_lost_log_is_raised_above_all_that_was_known(stage: Stage) -> None:
    ada = stage.person("Ada")
    end = stage.parts.tail.end
    resets, breaks = [], []
    stage.parts.tail.on_reset.append(resets.append)
    stage.parts.tail.on_break.append(lambda: breaks.append(True))
    stage.parts.link.commands.call(lambda redis: redis.flushall())
    stage.parts.tail._look()
    assert resets == [end]
    assert breaks
    assert stage.parts.live_log.last() >= end
    assert Cursor.parse(stage.say(ada, "general")["cursor"]) > end


def test_a_log_that_was_changed_beneath_is_noticed(stage: Stage) -> None:
    ada = stage.person("Ada")
    lost = stage.say(ada, "general", "will be taken out of the log unseen")
    other = stage.parts.tail
    behind = Cursor(Cursor.parse(lost["cursor"]) - 1)
    other.window.reset(behind)
    stage.parts.link.commands.call(lambda redis: redis.xdel("chat:events", lost["cursor"]))
    stage.send(ada, "general", "follows on what is gone")
    stage.publish()
    resets: list[Cursor] = []
    other.on_reset.append(resets.append)
    other._read()
    assert resets == [behind]
    assert stage.bodies(ada, behind) == ["will be taken out of the log unseen", "follows on what is gone"]


def test_a_cursor_ahead_of_the_log_raises_it(stage: Stage) -> None:
    ahead = Cursor.at(stage.parts.tail.end.milliseconds + 5_000_000_000)
    stage.parts.tail.accept(ahead)
    assert stage.parts.live_log.last() >= ahead
    ada = stage.person("Ada")
    assert Cursor.parse(stage.say(ada, "general")["cursor"]) > ahead


def test_a_signal_reaches_every_worker(set_up: Set) -> None:
    here, there = set_up(), set_up()
    for stage in (here, there):
        stage.person("Somebody, so that there is a log")
        stage.read()
    ada = here.parts.sessions.new_guest("Ada")
    there.parts.sessions.identify(ada.token)
    waiter = there.parts.feed.waiter(ada.identity, "poll")
    there.parts.hub.add(waiter)
    here.parts.live_log.signal({"type": "signed_out", "session": ada.identity.session_id})
    there.publish()
    there.parts.tail._read()
    assert waiter.closing == "signed_out"
