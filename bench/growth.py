"""Growth: what a delivery costs with more rooms, with more streams in a room, and from an older cursor."""

from collections.abc import Iterator
from collections.abc import Sequence

from bench import fanout
from bench import ours
from bench import request
from bench.case import Figures
from bench.case import Start
from bench.loads import Load
from bench.loads import posts
from bench.loads import returns
from bench.ours import Ours
from bench.returning import EVENTS
from bench.returning import send_behind

# Beside the 500 and the 2,000 of the fan-out and the 10,000 of the idle streams.
SIZE = 5000
ROOMS = (1, 1000, 10_000)
# A heartbeat is no delivery: with ten thousand rooms, most streams have no other event while this is measured.
QUIET = {"CHATAPP_HEARTBEAT_SECONDS": "600"}
# Each message has one reader, so that half of what is measured is the send: many small ones.
ROOMS_RATE = 100.0
ROOMS_WINDOW = 8
ROOMS_S = 3.0
# This many of the rooms, evenly spread, are written in, each of them once before: the first message in a room asks
# the database who may write there, however many other rooms there are.
ROOMS_WRITTEN = 200
AGE_CLIENTS = 500
# Twenty each.
AGE_USERS = 25
# The fifty messages fit, until others are sent in another room: then the database alone has them.
SHORT = {"CHATAPP_WINDOW": "100", "CHATAPP_LOG_MAXLEN": "100"}
# More than those hundred, and than the hundred more that Redis keeps: it drops whole nodes.
OTHERS = 400
OTHERS_AT_ONCE = 50


def size(start: Start) -> Iterator[Figures]:
    """One room, read by half as many as the largest."""
    with start() as target:
        yield fanout.paced(target, SIZE, f"fanout_{SIZE}")


def rooms(counts: Sequence[int], rounds: int) -> Iterator[Figures]:
    """More and more rooms, each with one reader. The rooms are there from the start, and all rounds use them."""
    each = [
        [f"room-{number}" for number in range(first, first + ours.STREAMS_PER_USER)]
        for first in range(0, max(counts), ours.STREAMS_PER_USER)
    ]
    with ours.service(ours.USERS, each, **QUIET) as service:
        named = [(name, token) for names, token in zip(each, service.tokens, strict=True) for name in names]
        streams = [request.get(f"/api/v1/events/stream?rooms={name}", token) for name, token in named]
        sends = [
            request.post(f"/api/v1/rooms/{name}/messages", request.short_message(), token) for name, token in named
        ]
        for count in [*counts] * rounds:
            written = sends[: count : max(1, count // ROOMS_WRITTEN)]
            posts(service.port, written, {"connections": len(written), "seconds": 0})
            target = service.target_of(streams[:count], written)
            options = {"readers": 1, "rate": ROOMS_RATE, "window": ROOMS_WINDOW, "seconds": ROOMS_S}
            with Load(target, count, options) as load:
                target.tree.settle()
                before_s = target.tree.cpu_s()
                done = load.go()
                spent_s = target.tree.cpu_s() - before_s
            # Until the service has seen the streams end: a user may not have more than those of one step.
            target.tree.settle()
            yield {
                f"rooms_{count}.cpu_us": spent_s / max(1, done["delivered"]) * 1e6,
                f"rooms_{count}.p99_ms": done["p99_ms"],
                f"rooms_{count}.missing": done["missing"],
            }


def ages() -> Iterator[Figures]:
    """Five hundred clients, each fifty messages behind: from the window, then from the database."""
    with ours.service(AGE_USERS, [(ours.ROOM, "other")], **SHORT) as service:
        cursor = send_behind(service)
        yield _age(service, cursor, "age_window")
        other = request.post("/api/v1/rooms/other/messages", request.short_message(), service.tokens[0])
        for _ in range(OTHERS // OTHERS_AT_ONCE):
            posts(service.port, [other], {"connections": OTHERS_AT_ONCE, "seconds": 0})
        yield _age(service, cursor, "age_database")


def _age(service: Ours, cursor: str, name: str) -> Figures:
    before_s = service.tree().cpu_s()
    done = returns(service.port, service.streams(Last_Event_ID=cursor), {"clients": AGE_CLIENTS, "events": EVENTS})
    spent_s = service.tree().cpu_s() - before_s
    return {
        f"{name}.cpu_us": spent_s / (AGE_CLIENTS * EVENTS) * 1e6,
        f"{name}.seconds": done["last_ms"] / 1000,
        f"{name}.missing": AGE_CLIENTS - done["caught_up"],
    }
