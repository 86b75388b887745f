"""Crowd: a hundred thousand streams over six workers: what each holds while nothing is said, and one message to all."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from bench import ours
from bench.case import Figures
from bench.loads import Load
from bench.loads import Said

STREAMS = 100_000
WORKERS = 6
# Neither may have more files open than the system allows a process, often 20,000.
LOADS = 6
USERS = 250
SETTINGS = {"WEB_CONCURRENCY": str(WORKERS), "CHATAPP_MAX_CONNECTIONS_PER_USER": str(STREAMS // USERS + 50)}
# The first streams make each worker load what belongs to none of them.
FIRST = 600
MESSAGES = 3
# One at a time: the next is sent when all have had the one before.
SENDING = {"rate": 0.5, "seconds": 5.0}
HEARING = {"seconds": 0.0, "others": float(MESSAGES)}


def figures() -> Iterator[Figures]:
    with ours.service(USERS, **SETTINGS) as service, ExitStack() as stack:
        target = service.target()
        with Load(target, FIRST):
            target.tree.settle()
        target.tree.settle()
        before_bytes, before_s = target.tree.memory_bytes(), target.tree.cpu_s()
        # The last of them sends.
        loads = [
            stack.enter_context(
                Load(target, _part(number), {"source": number + 2, **(SENDING if number == LOADS - 1 else HEARING)})
            )
            for number in range(LOADS)
        ]
        target.tree.settle()
        spent_s = target.tree.cpu_s() - before_s
        yield {
            "crowd.bytes": (target.tree.memory_bytes() - before_bytes) / STREAMS,
            "crowd_opening.cpu_us": spent_s / STREAMS * 1e6,
        }
        before_s = target.tree.cpu_s()
        heard = _go(loads)
        spent_s = target.tree.cpu_s() - before_s
        yield {
            "crowd.max_ms": max(one["max_ms"] for one in heard),
            "crowd.cpu_us": spent_s / max(1, sum(one["delivered"] for one in heard)) * 1e6,
            "crowd.missing": sum(one["missing"] for one in heard),
        }


def _part(number: int) -> int:
    return STREAMS * (number + 1) // LOADS - STREAMS * number // LOADS


def _go(loads: list[Load]) -> list[Said]:
    """All at once; whoever only hears stops when all is there."""
    with ThreadPoolExecutor(len(loads)) as pool:
        return list(pool.map(Load.go, loads))
