"""Sends: how many a second one worker takes from 50 senders who each wait for the answer before they send again."""

from collections.abc import Iterator

from bench.case import Figures
from bench.case import Start
from bench.loads import posts
from bench.target import Target

SENDERS = 50
SECONDS = 3.0
# What a server does at its first requests only.
FIRST_S = 1.0


def figures(start: Start, name: str = "sends") -> Iterator[Figures]:
    """Sends answered with 2xx a second; CPU of the server for each."""
    with start() as target:
        yield ask(target, target.sends, name)


def ask(target: Target, requests: list[str], name: str, senders: int = SENDERS) -> Figures:
    """The same requests from all senders, in turn. Raises CannotRun when one is refused."""
    posts(target.port, requests, {"connections": senders, "seconds": FIRST_S})
    before_s = target.tree.cpu_s()
    done = posts(target.port, requests, {"connections": senders, "seconds": SECONDS})
    spent_s = target.tree.cpu_s() - before_s
    return {
        f"{name}.per_s": done["answered"] / done["seconds"],
        f"{name}.cpu_us": spent_s / max(1, done["answered"]) * 1e6,
        f"{name}.p50_ms": done["p50_ms"],
        f"{name}.p99_ms": done["p99_ms"],
        f"{name}.missing": done["missing"],
    }
