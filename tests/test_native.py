"""Native: threads beside gevent's loop."""

import sys
import threading

import gevent
import pytest

from chatapp.native import Native


def test_the_loop_goes_on_while_a_thread_works() -> None:
    native = Native(1)
    release = threading.Event()
    working = gevent.spawn(native.run, lambda: release.wait(10) and threading.get_ident())
    turns = 0
    while turns < 3:
        gevent.sleep(0.001)
        turns += 1
    assert not working.ready()
    release.set()
    assert working.get(timeout=10) != threading.get_ident()
    native.close()


def test_what_the_work_raises_is_raised_to_who_asked() -> None:
    native = Native(2)

    def fail() -> None:
        raise ValueError("this one")

    failing = gevent.spawn(_outcome, native, fail)
    working = gevent.spawn(native.run, lambda: "done")
    gevent.joinall([failing, working], timeout=10)
    assert str(failing.value) == "this one"
    assert working.value == "done"
    native.close()


def test_who_gives_up_holds_nobody_up() -> None:
    """What nobody waits for any more is not begun: else a crowd that comes again would be served for nothing."""
    native = Native(1)
    begun, release, done = threading.Event(), threading.Event(), []

    def work() -> None:
        begun.set()
        done.append(release.wait(10))

    first = gevent.spawn(native.run, work)
    while not begun.is_set():
        gevent.sleep(0.001)
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.01):
        native.run(lambda: done.append("given up"))
    release.set()
    with gevent.Timeout(10):
        assert native.run(lambda: list(done)) == [True]
    first.get(timeout=10)
    native.close()


def test_the_threads_end() -> None:
    native = Native(3)
    with gevent.Timeout(10):
        native.run(lambda: None)
        names = [gevent.spawn(native.run, _here) for _ in range(3)]
        gevent.joinall(names)
        ended = [one.value for one in names]
        native.close()
        while any(thread in _native_threads() for thread in ended):
            gevent.sleep(0.001)


def _native_threads() -> set[int]:
    return set(sys._current_frames())


def _here() -> int:
    return threading.get_ident()


def _outcome(native: Native, work: object) -> object:
    try:
        return native.run(work)  # type: ignore[arg-type]
    except ValueError as error:
        return error
