"""Redis: reached with the service's own client and bounds, and asked what the service depends on."""

import re
import subprocess
import time
from collections.abc import Callable
from collections.abc import Iterator
from functools import partial
from typing import Any

from chatapp.command.check import clock
from chatapp.command.check.finding import Finding
from chatapp.command.check.finding import error
from chatapp.command.check.finding import first_line
from chatapp.command.check.finding import ok
from chatapp.command.check.finding import warning
from chatapp.config import Config
from chatapp.errors import RedisAway
from chatapp.eventlog import EVENTS
from chatapp.eventlog import LOG_NAME
from chatapp.eventlog import SIGNALS
from chatapp.server import NoRedisBinary
from chatapp.server import data_lock
from chatapp.server import find_binary
from chatapp.server import is_private
from chatapp.storage import COMMAND_TIMEOUT_S
from chatapp.storage import Client

# The first one that knows everything the scripts call.
VERSION_MIN = (6, 2)
# A send asks Redis on its way and gives up after 250 ms; within one data centre the answer takes far below 5 ms.
ROUND_TRIP_WARNING_S = 0.05
ROUND_TRIPS = 3
# Without eviction, a full Redis refuses what is published.
MEMORY_WARNING_SHARE = 0.9
BINARY_TIMEOUT_S = 3.0
MIB = 1024 * 1024


def look(config: Config) -> Iterator[Finding]:
    if not config.embedded_redis:
        yield from _server("REDIS_URL", config.redis_url, "start it, or correct the address")
        return
    part = "embedded Redis"
    yield from _binary(part)
    folder = config.redis_socket.parent
    if folder != config.data and folder.exists() and not is_private(folder):
        yield error(part, f"{folder} belongs to someone else: set CHATAPP_DATA to a shorter path")
    elif data_lock.held(config.data / "redis.lock"):
        yield from _server(part, config.redis_url, "restart the service")
    else:
        yield ok(part, f"not running; the service starts it on {config.redis_socket}")


def _server(part: str, url: str, remedy: str) -> Iterator[Finding]:
    try:
        client = Client(url, "check", COMMAND_TIMEOUT_S, 1, away_s=0.0)
    except ValueError:
        # What it says about the address may quote any piece of it.
        yield error(part, "cannot be read as an address: write what is no letter or digit in the password as %XX")
        return
    try:
        yield _round_trip(part, client)
    except RedisAway as away:
        yield error(part, f"Redis does not answer: {first_line(away)}: {remedy}")
        return
    questions: dict[str, Callable[[str, Client], Iterator[Finding]]] = {"INFO": _info, "TYPE": _types, "TIME": _clock}
    for command, question in questions.items():
        try:
            yield from question(part, client)
        except RedisAway as away:
            yield warning(part, f"{command} cannot be asked, so what it tells is not checked: {first_line(away)}")
    client.close()


def _binary(part: str) -> Iterator[Finding]:
    try:
        binary = find_binary()
        done = subprocess.run(
            [binary, "--version"], capture_output=True, text=True, timeout=BINARY_TIMEOUT_S, check=True
        )
    except (NoRedisBinary, OSError, subprocess.SubprocessError) as cause:
        yield error(part, first_line(cause))
        return
    version = re.search(r"v=(\S+)", done.stdout)
    yield _version(part, version[1] if version else "of unknown version", f", {binary}")


def _round_trip(part: str, client: Client) -> Finding:
    quickest_s = float("inf")
    for _ in range(ROUND_TRIPS):
        before_s = time.monotonic()
        client.call(lambda redis: redis.ping())
        quickest_s = min(quickest_s, time.monotonic() - before_s)
    text = f"Redis answers in {quickest_s * 1000:.1f} ms"
    if quickest_s > ROUND_TRIP_WARNING_S:
        return warning(part, f"{text}, more than {ROUND_TRIP_WARNING_S * 1000:.0f}: use one that is nearer")
    return ok(part, text)


def _info(part: str, client: Client) -> Iterator[Finding]:
    """All of it is in INFO; CONFIG, which a managed Redis forbids, is not needed."""
    info: dict[str, Any] = client.call(lambda redis: redis.info())
    yield _version(part, str(info["redis_version"]))
    if info["role"] != "master":
        yield error(part, "a replica, which refuses to be written (READONLY): give the address of the master")
    if info.get("redis_mode") == "cluster":
        yield error(part, "a cluster: the scripts' keys must lie on one server; use one without cluster mode")
    if info.get("rdb_last_bgsave_status", "ok") != "ok":
        yield warning(part, "it could not save its data, and may refuse writes (MISCONF): see its log and its disk")
    yield _memory(part, info["maxmemory_policy"], info["maxmemory"], info["used_memory"])


def _version(part: str, version: str, suffix: str = "") -> Finding:
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers < VERSION_MIN:
        return error(part, f"Redis {version}{suffix}: 6.2 or newer is needed")
    return ok(part, f"Redis {version}{suffix}")


def _memory(part: str, policy: str, most_bytes: int, used_bytes: int) -> Finding:
    if policy != "noeviction":
        text = f"maxmemory-policy {policy} drops parts of the log and of the rate limit without a word: set noeviction"
        return error(part, text) if most_bytes else warning(part, f"{text} (with maxmemory 0 nothing is dropped yet)")
    if most_bytes and used_bytes > MEMORY_WARNING_SHARE * most_bytes:
        return warning(part, f"{used_bytes} of {most_bytes} bytes used; full, it refuses what is sent: raise maxmemory")
    bound = f"{used_bytes // MIB} of {most_bytes // MIB} MiB used" if most_bytes else "maxmemory 0, no bound"
    return ok(part, f"maxmemory-policy noeviction, {bound}")


def _types(part: str, client: Client) -> Iterator[Finding]:
    for key, wanted in ((EVENTS, "stream"), (SIGNALS, "stream"), (LOG_NAME, "string")):
        kind = client.call(partial(_type, key))
        if kind not in (wanted, "none"):
            yield error(part, f"{key} is a {kind} of something else: give the service a Redis of its own")


def _type(key: str, redis: Any) -> str:
    kind: bytes = redis.type(key)
    return kind.decode()


def _clock(part: str, client: Client) -> Iterator[Finding]:
    before_s = time.time()
    seconds, microseconds = client.call(lambda redis: redis.time())
    yield clock.judge(part, seconds + microseconds / 1e6 - (before_s + time.time()) / 2)
