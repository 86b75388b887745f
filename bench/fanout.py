"""Fan-out: what one delivery of one message to one stream costs the server, and how long it takes."""

from collections.abc import Iterator

from bench.case import Figures
from bench.case import Start
from bench.loads import Load
from bench.target import Target

# One message at a time: what a delivery costs and takes when nothing waits for anything else.
PACED = {"rate": 5.0, "seconds": 4.0}
# In a small room the share of the send is as large as that of the deliveries, and varies from message to message.
PACED_SMALL_ROOM = {**PACED, "seconds": 12.0}
# As many on their way as keep the server busy without growing queues.
SATURATED = {"rate": 0.0, "seconds": 3.0, "window": 8.0}


def figures(start: Start) -> Iterator[Figures]:
    """One room of 500, paced and saturated, and one of 2,000."""
    with start() as target:
        yield paced(target, 500, "fanout_500", PACED_SMALL_ROOM)
        yield saturated(target, 500, "saturated")
        yield paced(target, 2000, "fanout_2000")


def paced(target: Target, streams: int, name: str, pace: dict[str, float] = PACED) -> Figures:
    with Load(target, streams, pace) as load:
        return deliver(target, load, name)


def saturated(target: Target, streams: int, name: str) -> Figures:
    with Load(target, streams, SATURATED) as load:
        return deliver(target, load, name)


def deliver(target: Target, load: Load, name: str) -> Figures:
    """Let the load send. `cpu_us` of the server per delivery; latency from just before the send to the arrival."""
    target.tree.settle()
    before_s = target.tree.cpu_s()
    done = load.go()
    spent_s = target.tree.cpu_s() - before_s
    return {
        f"{name}.cpu_us": spent_s / max(1, done["delivered"]) * 1e6,
        f"{name}.p50_ms": done["p50_ms"],
        f"{name}.p99_ms": done["p99_ms"],
        f"{name}.per_s": done["delivered"] / done["seconds"],
        f"{name}.missing": done["missing"],
    }
