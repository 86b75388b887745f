"""Gather: one call for all who ask at the same time."""

import gevent
import pytest
from gevent.event import Event

from chatapp.gather import Gather


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
    answers = iter([ConnectionError("away")])

    def call(questions: list[int]) -> list[int]:
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
    gather = Gather(lambda questions: gevent.sleep(5) or questions, most=1, timeout_s=0.01)
    with pytest.raises(TimeoutError):
        gather.ask(1)


def _outcome(gather: Gather[int, int], question: int) -> object:
    try:
        return gather.ask(question)
    except ConnectionError as error:
        return error
