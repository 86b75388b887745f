"""Long poll: 500 clients that ask again as soon as they are answered; what a message costs for each of them."""

from collections.abc import Iterator

from bench import ours
from bench import request
from bench.case import Figures
from bench.loads import Load

CLIENTS = 500
RATE = 5.0
SECONDS = 4.0
POLL = f"/api/v1/events/poll?rooms={ours.ROOM}&wait=25%C"


def figures() -> Iterator[Figures]:
    """CPU in µs per message and client: the answer, the next request, and its share of the send."""
    with ours.service(CLIENTS // ours.STREAMS_PER_USER) as service:
        target = service.target_of([request.get(POLL, token) for token in service.tokens], service.sends()[:1])
        with Load(target, CLIENTS, {"rate": RATE, "seconds": SECONDS}, command="polls") as load:
            target.tree.settle()
            before_s = target.tree.cpu_s()
            done = load.go()
            spent_s = target.tree.cpu_s() - before_s
    yield {
        "polls.cpu_us": spent_s / max(1, done["delivered"]) * 1e6,
        "polls.p50_ms": done["p50_ms"],
        "polls.p99_ms": done["p99_ms"],
        "polls.missing": done["missing"],
    }
