"""Coming back: ten thousand clients that open their streams at once, each fifty messages behind."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import redis

from bench import ours
from bench.case import Figures
from bench.loads import posts
from bench.loads import returns
from bench.ours import Ours
from bench.target import CannotRun
from tests.support.postgres import Postgres

CLIENTS = 10_000
EVENTS = 50
GIVES_UP_S = 60
# PostgreSQL tells its counts at most once a second for each of its processes.
COUNTED_AFTER_S = 2.5


def figures() -> Iterator[Figures]:
    """Until the last has all fifty; CPU for each client; transactions and Redis commands in that time, for all of them.

    On PostgreSQL, which counts its transactions. Its own CPU is not in the figure, that of Redis is.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        postgres = Postgres(Path(folder) / "postgres")
        try:
            url = postgres.database()
            with ours.service(DATABASE_URL=url) as service:
                yield come_back(service, url, CLIENTS)
        finally:
            postgres.stop()


def come_back(service: Ours, database_url: str, clients: int) -> Figures:
    cursor = send_behind(service)
    requests = service.streams(Last_Event_ID=cursor)
    service.tree().settle()
    time.sleep(COUNTED_AFTER_S)
    transactions, commands = _transactions(database_url), _commands(service)
    before_s = service.tree().cpu_s()
    done = returns(service.port, requests, {"clients": clients, "events": EVENTS, "seconds": GIVES_UP_S})
    spent_s = service.tree().cpu_s() - before_s
    commands_made = _commands(service) - commands
    time.sleep(COUNTED_AFTER_S)
    return {
        "returning.seconds": done["last_ms"] / 1000,
        "returning.p50_s": done["p50_ms"] / 1000,
        "returning.cpu_us": spent_s / clients * 1e6,
        "returning.transactions": _transactions(database_url) - transactions,
        "returning.commands": commands_made,
        "returning.missing": clients - done["caught_up"],
    }


def send_behind(service: Ours) -> str:
    """Send the fifty messages. Returns the cursor before the first."""
    cursor: str = _poll(service)["cursor"]
    while (sent := len(_poll(service, since=cursor)["events"])) < EVENTS:
        posts(service.port, service.sends()[:1], {"connections": min(5, EVENTS - sent), "seconds": 0})
    return cursor


def _poll(service: Ours, **query: str) -> dict[str, Any]:
    answer = httpx.get(
        f"{service.service.url}/api/v1/events/poll",
        params={"rooms": ours.ROOM, "wait": "1", **query},
        headers={"Authorization": f"Bearer {service.tokens[0]}"},
        timeout=10,
    )
    if answer.status_code != 200:
        raise CannotRun(answer.text[:300])
    document: dict[str, Any] = answer.json()
    return document


def _transactions(database_url: str) -> int:
    query = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
    with psycopg.connect(database_url, connect_timeout=5) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def _commands(service: Ours) -> int:
    """Commands that the private Redis has done so far, those inside scripts included."""
    with redis.Redis(unix_socket_path=str(service.service.folder / "data" / "redis.sock"), socket_timeout=5) as client:
        return sum(int(one["calls"]) for one in client.info("commandstats").values())
