"""Fanout: the same bytes to many sockets, by AIO and one after another: what each took is the same."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from chatapp.receiving.carriers import fanout
from chatapp.receiving.carriers.fanout import FEWEST
from chatapp.receiving.carriers.fanout import MOST
from chatapp.receiving.carriers.fanout import Fanout

BLOB = b"data: news\n\n" * 40

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture(params=["aio", "one after another"])
def writes(request: pytest.FixtureRequest) -> Iterator[Fanout]:
    made = Fanout()
    if request.param == "aio":
        made.start()
        assert made._aio is not None, "this kernel has no AIO for sockets, or it is forbidden here"
    yield made
    made.stop()


@pytest.fixture
def pairs() -> Iterator[list[Pair]]:
    """More than one call of AIO takes."""
    with ExitStack() as held:
        made = [socket.socketpair() for _ in range(MOST + FEWEST + 1)]
        for ends in made:
            for end in ends:
                held.enter_context(end)
                end.setblocking(False)
        yield made


def written(writes: Fanout, pairs: list[Pair]) -> list[int]:
    return writes.write([here.fileno() for here, _ in pairs], BLOB)


@pytest.mark.parametrize("count", [0, 1, FEWEST - 1, FEWEST, MOST, MOST + 1, MOST + FEWEST + 1])
def test_each_gets_all_of_it_once(count: int, writes: Fanout, pairs: list[Pair]) -> None:
    assert written(writes, pairs[:count]) == [len(BLOB)] * count
    for number, (_, there) in enumerate(pairs):
        if number < count:
            assert there.recv(2 * len(BLOB)) == BLOB
        else:
            with pytest.raises(BlockingIOError):
                there.recv(1)


def test_who_takes_a_part_or_nothing_or_is_gone_is_told_apart(writes: Fanout, pairs: list[Pair]) -> None:
    full, gone, closed = 3, 5, MOST - 7
    fill(pairs[full][0])
    pairs[gone][1].close()
    fds = [here.fileno() for here, _ in pairs]
    # A descriptor that is none: the kernel takes nothing of the list from there on.
    fds[closed] = unused_descriptor()
    taken = writes.write(fds, BLOB)
    assert {number: one for number, one in enumerate(taken) if one != len(BLOB)} == {full: 0, gone: -1, closed: -1}
    assert len(taken) == len(pairs)
    for number, (_, there) in enumerate(pairs):
        if number not in (full, gone, closed):
            assert there.recv(2 * len(BLOB)) == BLOB


def test_a_part_is_told_as_its_length(writes: Fanout) -> None:
    with ExitStack() as held:
        readers = []
        fds = []
        for _ in range(FEWEST):
            listener = held.enter_context(socket.create_server(("127.0.0.1", 0)))
            there = held.enter_context(socket.create_connection(listener.getsockname()))
            here = held.enter_context(listener.accept()[0])
            here.setblocking(False)
            readers.append(there)
            fds.append(here.fileno())
        big = bytes(16 * 1024 * 1024)
        taken = writes.write(fds, big)
        for there, one in zip(readers, taken, strict=True):
            assert 0 < one < len(big)
            there.settimeout(5)
            got = 0
            while got < one:
                got += len(there.recv(one - got))
        assert writes.write(fds, b"more") == [4] * FEWEST


def test_where_aio_is_forbidden_it_writes_all_the_same(
    monkeypatch: pytest.MonkeyPatch, pairs: list[Pair], caplog: pytest.LogCaptureFixture
) -> None:
    # What a kernel without it answers to a call that it does not know.
    monkeypatch.setattr(fanout, "CALLS", dict.fromkeys(fanout.CALLS, (100000,) * 4))
    writes = Fanout()
    with caplog.at_level("INFO"):
        writes.start()
    assert "one socket after another: [Errno 38]" in caplog.text
    assert written(writes, pairs) == [len(BLOB)] * len(pairs)
    writes.stop()


def fill(end: socket.socket) -> None:
    while True:
        try:
            end.send(bytes(4096))
        except BlockingIOError:
            return


def unused_descriptor() -> int:
    number = os.dup(0)
    os.close(number)
    return number
