"""Everything there is to measure: which cases, on which targets."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from bench import alive
from bench import c_loop
from bench import crowd
from bench import database_size
from bench import empty_flask
from bench import fanout
from bench import growth
from bench import idle
from bench import ours
from bench import polls
from bench import returning
from bench import sends
from bench import tail
from bench import workers
from bench.case import Case
from bench.case import Figures
from bench.case import Start
from bench.peers import NCHAN
from bench.peers import PEERS
from bench.target import Target

MEASURES = (
    *("fanout", "idle", "sends", "polls", "returning", "rooms", "ages"),
    *("workers", "tail", "crowd", "alive", "size"),
)
# Of the first 2,000 streams, twenty each.
FANOUT_USERS = 100


def cases(rounds: int, *, every_peer: bool) -> list[Case]:
    """In the order in which a round takes them: each target after the other, measure by measure."""
    peers = PEERS if every_peer else {NCHAN: PEERS[NCHAN]}
    rooms = growth.ROOMS if every_peer else (growth.ROOMS[0], growth.ROOMS[-1])
    fanned: dict[str, Start] = {c_loop.NAME: c_loop.c_loop, ours.NAME: partial(ours.ours, FANOUT_USERS), **peers}
    held: dict[str, Start] = {c_loop.NAME: c_loop.c_loop, ours.NAME: ours.ours, **peers}
    quick = [
        *(Case("fanout", name, partial(fanout.figures, start)) for name, start in fanned.items()),
        *(Case("idle", name, partial(idle.figures, start)) for name, start in held.items()),
        Case("sends", empty_flask.NAME, _empty_flask),
        Case("sends", ours.NAME, partial(sends.figures, _senders)),
        Case("polls", ours.NAME, polls.figures),
        Case("returning", ours.NAME, returning.figures),
        Case("rooms", ours.NAME, partial(growth.rooms, rooms, rounds), once=True),
        Case("ages", ours.NAME, growth.ages),
        Case("workers", ours.NAME, workers.figures),
        Case("tail", ours.NAME, tail.figures),
        Case("alive", ours.NAME, alive.figures, once=True),
        Case("size", ours.NAME, database_size.figures, once=True),
    ]
    if not every_peer:
        return quick
    return [
        *quick,
        *(Case("sends", name, partial(sends.figures, start)) for name, start in peers.items()),
        *(Case("size", name, partial(growth.size, held[name])) for name in (c_loop.NAME, ours.NAME)),
        Case("crowd", ours.NAME, crowd.figures),
    ]


@contextmanager
def _senders() -> Iterator[Target]:
    """Fifty users who all write."""
    with ours.service(sends.SENDERS) as service:
        yield service.target_of(service.streams(), service.sends())


def _empty_flask() -> Iterator[Figures]:
    """Both its routes: the limit of a send, and that of a poll."""
    with empty_flask.empty_flask() as target:
        yield sends.ask(target, target.sends, "sends")
        yield sends.ask(target, target.requests, "polls")
