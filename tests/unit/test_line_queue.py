"""A log that is written slowly loses lines, in whole and with a word, and never keeps anybody waiting."""

import logging
import os
from collections.abc import Iterator

import gevent
import pytest

from chatapp.server import line_queue
from chatapp.server.line_queue import LineQueue


@pytest.fixture
def pipe() -> Iterator[tuple[int, LineQueue]]:
    reading, writing = os.pipe()
    with open(writing, "w") as stream:
        like = logging.StreamHandler(stream)
        like.setFormatter(logging.Formatter("%(message)s"))
        queue = LineQueue(like)
        queue.start()
        yield reading, queue
        queue.stop()
    os.close(reading)


def say(queue: LineQueue, text: str) -> None:
    queue.emit(logging.LogRecord("chatapp", logging.INFO, "x.py", 1, text, (), None))


def read(fd: int, count: int) -> list[str]:
    text = ""
    while text.count("\n") < count:
        text += gevent.get_hub().threadpool.apply(os.read, (fd, 65536)).decode()
    return text.splitlines()


def test_lines_come_in_order(pipe: tuple[int, LineQueue]) -> None:
    fd, queue = pipe
    for number in range(1000):
        say(queue, f"line {number}")
    assert read(fd, 1000) == [f"line {number}" for number in range(1000)]


def test_what_nobody_reads_is_dropped(pipe: tuple[int, LineQueue], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_queue, "LINES_MAX", 100)
    fd, queue = pipe
    long = "x" * 2000
    # The pipe holds 64 KiB; the rest waits, as much as may.
    for _ in range(20):
        for _ in range(50):
            say(queue, long)
        gevent.sleep(0.06)
    found = read(fd, 1)
    while not any("dropped" in line for line in found):
        found += read(fd, 1)
    [told] = [line for line in found if "dropped" in line]
    assert told.split()[0].isdigit()
    assert set(found) == {long, told}


def test_lines_that_fit_are_written_whole() -> None:
    rows = [b"a" * 1500 + b"\n"] * 5 + [b"b" * 9000 + b"\n"] + [b"c\n"]
    pieces = list(line_queue._pieces(iter(rows)))
    assert b"".join(pieces) == b"".join(rows)
    assert [len(piece) for piece in pieces] == [3002, 3002, 1501, 9001, 2]
    assert all(piece.endswith(b"\n") for piece in pieces)


def test_an_end_waits_for_nobody(pipe: tuple[int, LineQueue]) -> None:
    _, queue = pipe
    for _ in range(200):
        say(queue, "x" * 2000)
    with gevent.Timeout(10):
        queue.stop()
