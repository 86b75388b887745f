"""Gather: one call for all who ask at the same time."""

import time

import gevent
import pytest
from gevent.event import Event

from chatapp.runtime.gather import Gather


def test_who_asks_while_a_call_is_under_way_shares_the_next() -> None:
    calls: list[list[int]] = []
    under_way, go_on = Event(), Event()

    def call(questions: list[int]) -> list[int]:
        calls.append(questions)
        under_way.set()
        go_on.wait()
        return [-one for one in questions]

    gather = Gather(call, most=3, timeout_s=10)
    asking = [gevent.spawn(gather.ask, 0)]
    under_way.wait()
    asking += [gevent.spawn(gather.ask, number) for number in range(1, 6)]
    gevent.idle()
    go_on.set()
    gevent.joinall(asking, timeout=10)
    assert [one.value for one in asking] == [0, -1, -2, -3, -4, -5]
    assert calls == [[0], [1, 2, 3], [4, 5]]


def test_an_error_is_everybodys_and_the_next_call_is_new() -> None:
    # The first one asks alone, the others together.
    answers = iter([ConnectionError("away")] * 2)

    def call(questions: list[int]) -> list[int]:
        gevent.sleep(0)
        error = next(answers, None)
        if error is not None:
            raise error
        return questions

    gather = Gather(call, most=10, timeout_s=10)
    asking = [gevent.spawn(_outcome, gather, number) for number in range(3)]
    gevent.joinall(asking, timeout=10)
    assert [type(one.value) for one in asking] == [ConnectionError] * 3
    assert gather.ask(7) == 7


def test_it_waits_with_a_bound() -> None:
    over = Event()
    gather = Gather(lambda questions: over.wait(10) and questions, most=1, timeout_s=0.01)
    first = gevent.spawn(gather.ask, 1)
    gevent.idle()
    with pytest.raises(TimeoutError):
        gather.ask(2)
    over.set()
    assert first.get(timeout=10) == 1


def test_an_answer_that_is_an_error_is_that_ones_alone() -> None:
    gather = Gather(lambda questions: [ValueError(one) if one == 1 else one for one in questions], most=3, timeout_s=10)
    assert gather.ask(0) == 0
    with pytest.raises(ValueError, match="1"):
        gather.ask(1)
    assert gather.ask(2) == 2


def test_who_asks_and_is_cut_off_takes_nobody_along() -> None:
    gather = Gather(lambda questions: gevent.sleep(0.05) or questions, most=3, timeout_s=10)
    first = gevent.spawn(gather.ask, 1)
    gevent.idle()
    second = gevent.spawn(gather.ask, 2)
    gevent.idle()
    first.kill()
    assert second.get(timeout=10) == 2
    assert gather.ask(3) == 3


def _outcome(gather: Gather[int, int], question: int) -> object:
    try:
        return gather.ask(question)
    except ConnectionError as error:
        return error


def test_where_several_asked_a_moment_ago_they_gather() -> None:
    """Each of several workers has a part of those who ask; one who asks alone does not wait."""
    calls: list[list[int]] = []

    def call(questions: list[int]) -> list[int]:
        calls.append(questions)
        gevent.sleep(0)
        return questions

    gather = Gather(call, most=10, timeout_s=10, pause_s=0.05)
    before_s = time.monotonic()
    assert gather.ask(0) == 0
    assert time.monotonic() - before_s < 0.05
    gevent.joinall([gevent.spawn(gather.ask, number) for number in range(1, 4)], timeout=10)
    assert calls == [[0], [1], [2, 3]]
    # Others asked together just now: who comes next waits for company.
    late = [gevent.spawn(gather.ask, 4), gevent.spawn_later(0.01, gather.ask, 5)]
    gevent.joinall(late, timeout=10)
    assert calls[3:] == [[4, 5]]
