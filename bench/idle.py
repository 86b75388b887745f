"""Idle: the memory of an open stream through which nothing goes; the CPU that opening one takes; the largest room."""

from collections.abc import Iterator

from bench import fanout
from bench.case import Figures
from bench.case import Start
from bench.loads import Load

# Opened and closed first: what a server loads at its first streams belongs to none of them.
FIRST = 50
STEPS = (2000, 10_000)


def figures(start: Start) -> Iterator[Figures]:
    """Growth over no streams, in bytes for each; CPU in µs for each opening; and, since they are open, a fan-out."""
    with start() as target:
        with Load(target, FIRST):
            target.tree.settle()
        target.tree.settle()
        without_bytes = target.tree.memory_bytes()
        for count in STEPS:
            before_s = target.tree.cpu_s()
            with Load(target, count, fanout.PACED) as load:
                # What is put off at an opening belongs to it.
                target.tree.settle()
                spent_s = target.tree.cpu_s() - before_s
                yield {
                    f"idle_{count}.bytes": (target.tree.memory_bytes() - without_bytes) / count,
                    f"opening_{count}.cpu_us": spent_s / count * 1e6,
                }
                if count == STEPS[-1]:
                    yield fanout.deliver(target, load, f"fanout_{count}")
            target.tree.settle()
