"""Tail: what a worker spends on an event of the log that nobody there follows, alone or among a hundred."""

import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

from bench import ours
from bench.case import Figures
from bench.tree import Tree
from chatapp.errors import RedisAway
from chatapp.eventlog import LiveLog
from chatapp.storage import RedisLink
from chatapp.wire import Cursor
from chatapp.wire import Entry
from chatapp.wire import event_types
from tests.support.redis_server import RedisServer

# As in a service of several workers; none of them publishes itself.
WORKERS = 2
ROOMS = 1_000
PER_S = 2_000
SECONDS = 3.0
# More than the window of a worker holds: from then on each event that comes drops one.
FIRST = 12_000
# More than the service keeps, so that it is the service that trims the log.
MAXLEN = 100_000
_numbers = count(1_000_000)


def figures() -> Iterator[Figures]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        redis = RedisServer(Path(folder))
        try:
            several = {"REDIS_URL": redis.url, "WEB_CONCURRENCY": str(WORKERS)}
            with ours.service(1, **several) as service, closing(RedisLink(redis.url)) as link:
                yield from _read(service.tree(), _publisher(link))
        finally:
            redis.stop()


def _publisher(link: RedisLink) -> LiveLog:
    """Like a worker of another host, with the same database."""
    live_log = LiveLog(link, MAXLEN)
    live_log.database, _ = live_log.holder("", 0.0)
    try:
        live_log.meet()
    except RedisAway:
        # It is met for the first time.
        live_log.meet()
    return live_log


def _read(tree: Tree, live_log: LiveLog) -> Iterator[Figures]:
    for _ in range(FIRST // 100):
        _publish(live_log, 100)
    for size in (1, 100):
        tree.settle()
        before_s = tree.cpu_s()
        time.sleep(SECONDS)
        rest_s = tree.cpu_s() - before_s
        events = _pace(live_log, size)
        # Until the last of them is read.
        tree.settle()
        spent_s = tree.cpu_s() - before_s - 2 * rest_s
        yield {f"tail_{size}.cpu_us": spent_s / (events * WORKERS) * 1e6}


def _pace(live_log: LiveLog, size: int) -> int:
    """As many a second as are wanted, or as this machine makes. Returns how many there were."""
    began_s, published = time.monotonic(), 0
    while (passed_s := time.monotonic() - began_s) < SECONDS:
        if published > passed_s * PER_S:
            time.sleep(size / PER_S / 2)
            continue
        _publish(live_log, size)
        published += size
    return published


def _publish(live_log: LiveLog, size: int) -> None:
    live_log.publish([_entry(next(_numbers)) for _ in range(size)], live_log.last(), Cursor(0), {})


def _entry(number: int) -> Entry:
    uid, room = str(uuid.uuid4()), number % ROOMS
    message = {
        "id": uid,
        "room": f"room-{room}",
        "sender": {"id": str(uuid.uuid4()), "name": "Ada Lovelace"},
        "localId": str(uuid.uuid4()),
        "body": "as long as what people write to one another all day",
        "data": None,
        "status": "sent",
        "growing": False,
        "createdAt": "2026-01-01T00:00:00.000Z",
        "editedAt": None,
        "deletedAt": None,
        "cursor": None,
    }
    return Entry(number, uid, event_types.MESSAGE_CREATED, room, {"room": f"room-{room}", "message": message})
