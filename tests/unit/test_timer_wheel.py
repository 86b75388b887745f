"""TimerWheel: what is put in comes when it is due, not before and not much later."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatapp.runtime import timer_wheel
from chatapp.runtime.timer_wheel import TimerWheel

TICK_S = 0.5
SECONDS = st.floats(0, 20)


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s


@given(st.lists(st.tuples(SECONDS, st.lists(SECONDS))))
def test_nothing_comes_early_and_all_comes_in_time(steps: list[tuple[float, list[float]]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock()
        patch.setattr(timer_wheel, "time", clock)
        made: TimerWheel[float] = TimerWheel(TICK_S)
        waiting: list[float] = []
        for passes_s, put_s in [*steps, (50.0, [])]:
            for in_s in put_s:
                waiting.append(clock.now_s + in_s)
                made.put(waiting[-1], waiting[-1])
            rest_s = made.rest_s(30.0)
            assert (rest_s == 30.0) if not waiting else (clock.now_s + rest_s <= min(waiting) + 2 * TICK_S)
            clock.now_s += passes_s
            for _, due_s in made.turn():
                assert passes_s > rest_s - 1e-6
                assert due_s <= clock.now_s
                waiting.remove(due_s)
            assert all(due_s > clock.now_s - TICK_S for due_s in waiting)
        assert waiting == []


def test_of_what_was_put_in_twice_the_newer_one_is_known_by_its_tick() -> None:
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock()
        patch.setattr(timer_wheel, "time", clock)
        made: TimerWheel[str] = TimerWheel(TICK_S)
        older, newer = made.put("one", 1001.0), made.put("one", 1003.0)
        clock.now_s = 1010.0
        assert list(made.turn()) == [(older, "one"), (newer, "one")]
