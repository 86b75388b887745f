"""Threads: threads beside gevent's loop."""

import sys
import threading

import gevent
import pytest

from chatapp.runtime.threads import Threads


def test_the_loop_goes_on_while_a_thread_works() -> None:
    threads = Threads(1)
    release = threading.Event()
    working = gevent.spawn(threads.run, lambda: release.wait(10) and threading.get_ident())
    turns = 0
    while turns < 3:
        gevent.sleep(0.001)
        turns += 1
    assert not working.ready()
    release.set()
    assert working.get(timeout=10) != threading.get_ident()
    threads.close()


def test_what_the_work_raises_is_raised_to_who_asked() -> None:
    threads = Threads(2)

    def fail() -> None:
        raise ValueError("this one")

    failing = gevent.spawn(_outcome, threads, fail)
    working = gevent.spawn(threads.run, lambda: "done")
    gevent.joinall([failing, working], timeout=10)
    assert str(failing.value) == "this one"
    assert working.value == "done"
    threads.close()


def test_who_gives_up_holds_nobody_up() -> None:
    """What nobody waits for any more is not begun: else a crowd that comes again would be served for nothing."""
    threads = Threads(1)
    begun, release, done = threading.Event(), threading.Event(), []

    def work() -> None:
        begun.set()
        done.append(release.wait(10))

    first = gevent.spawn(threads.run, work)
    while not begun.is_set():
        gevent.sleep(0.001)
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.01):
        threads.run(lambda: done.append("given up"))
    release.set()
    with gevent.Timeout(10):
        assert threads.run(lambda: list(done)) == [True]
    first.get(timeout=10)
    threads.close()


def test_the_threads_end() -> None:
    threads = Threads(3)
    with gevent.Timeout(10):
        threads.run(lambda: None)
        names = [gevent.spawn(threads.run, _here) for _ in range(3)]
        gevent.joinall(names)
        ended = [one.value for one in names]
        threads.close()
        # The last thing that a thread does is to say so.
        while any(thread in _threads_threads() for thread in ended):
            gevent.sleep(0.001)


def test_what_is_under_way_ends_before_the_process_does() -> None:
    threads, release, done = Threads(1), threading.Event(), []
    with gevent.Timeout(10):
        gevent.spawn(threads.run, lambda: done.append(release.wait(10)))
        gevent.sleep(0)
        gevent.spawn_later(0.05, release.set)
        threads.close()
    assert done == [True]


def _threads_threads() -> set[int]:
    return set(sys._current_frames())


def _here() -> int:
    return threading.get_ident()


def _outcome(threads: Threads, work: object) -> object:
    try:
        return threads.run(work)  # type: ignore[arg-type]
    except ValueError as error:
        return error
