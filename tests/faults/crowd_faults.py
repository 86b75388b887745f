"""Many clients at once, and clients that do not read."""

import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import psutil

from tests.faults.load import Load
from tests.faults.world import World
from tests.support.crowd import Crowd
from tests.support.person import Person
from tests.support.processes import wait_until
from tests.support.stream import EventStream

RETURNING = 5000
# The people behind these clients: each comes back twenty times.
RETURNING_PEOPLE = 250
BEHIND = 50
# The promise is 10 s for 95 of 100 and 15 s for all. Fourfold: the machine is shared, also with the clients.
CAUGHT_UP_P95_S = 4 * 10.0
CAUGHT_UP_ALL_S = 4 * 15.0

STUCK = 100
# 4 MB for each reader: far beyond what the buffers of a stuck connection take in.
FLOOD = 1000
STUCK_MEMORY_MAX_MIB = 100
STUCK_GONE_S = 60.0
# The promise is 250 ms for 95 of 100 deliveries.
STUCK_DELIVERY_P95_S = 4 * 0.25
PROBES = 60

STREAMS = 500
# The promise is 5 s from SIGTERM to the last byte of the last stream.
CLOSED_S = 4 * 5.0

PLACES = 50
IDLE = 150
ANSWER_S = 4 * 1.0


def come_back_at_once(world: World, load: Load) -> None:
    """5,000 clients, each 50 messages behind, connect within a second."""
    room = load.owner.create_room()
    with ThreadPoolExecutor(4) as signing_in:
        people = list(signing_in.map(lambda number: _member(world, room, number), range(RETURNING_PEOPLE)))
    cursor = load.owner.cursor()
    for number in range(BEHIND):
        load.say(room, f"missed {number}")
    reads = _transactions(world)
    with world.fault("5,000 clients within a second"):
        crowd = Crowd(world.service.url, people, RETURNING)
        try:
            crowd.come_back(cursor, b"event: message.created\n", BEHIND, CAUGHT_UP_ALL_S)
        finally:
            crowd.close()
    p95_s, all_s = crowd.caught_up_s(0.95), crowd.caught_up_s(1.0)
    world.notes.append(f"95 % caught up after {p95_s:.1f} s, all after {all_s:.1f} s")
    world.require(p95_s < CAUGHT_UP_P95_S, f"95 % of the clients had caught up after {p95_s:.1f} s only")
    if world.database == "postgres":
        queries = _transactions(world) - reads
        world.notes.append(f"{queries / RETURNING:.2f} transactions a client, the sends included")
        world.require(queries < RETURNING, f"{queries} transactions for {RETURNING} clients")
    for person in people:
        person.http.close()


def stop_reading(world: World, load: Load) -> None:
    """100 clients ask for the stream and then read nothing, while 4 MB are said in their room."""
    room = load.owner.create_room()
    stuck_person = _member(world, room, 0)
    reader = _member(world, room, 1)
    with world.fault("100 readers that stop reading"):
        stuck = [_stuck(world, stuck_person, room) for _ in range(STUCK)]
        addresses = {one.getsockname() for one in stuck}
        with EventStream(world.service.url, reader.token, rooms=room) as stream:
            stream.next()
            before_bytes = _memory(world)
            with ThreadPoolExecutor(1) as reading:
                read = reading.submit(stream.messages, FLOOD, 120)
                load.burst(FLOOD, room, body_bytes=4000)
                read.result()
            took_s = sorted(_delivery_s(load, room, stream) for _ in range(PROBES))
            grown_mib = (_memory(world) - before_bytes) / 2**20
        p95_s = took_s[int(0.95 * PROBES)]
        # The last of them was blocked when the last message was said, or before.
        started_s = time.monotonic()
        wait_until(lambda: not addresses & _peers(world), STUCK_GONE_S, "the end of the stuck connections")
        gone_s = time.monotonic() - started_s
        for one in stuck:
            one.close()
        for person in (stuck_person, reader):
            person.http.close()
    world.notes.append(
        f"memory +{grown_mib:.0f} MiB, delivery p95 {p95_s * 1000:.0f} ms, gone after {gone_s:.0f} s more"
    )
    world.require(grown_mib < STUCK_MEMORY_MAX_MIB, f"memory grew by {grown_mib:.0f} MiB")
    world.require(p95_s < STUCK_DELIVERY_P95_S, f"delivery beside them took {p95_s:.2f} s for 95 of 100")


def stop_with_many_streams(world: World, load: Load) -> None:
    """SIGTERM with 500 more streams open, then started again."""
    people = [_member(world, load.room, number) for number in range(20)]
    streams = [EventStream(world.service.url, people[number % 20].token) for number in range(STREAMS)]
    for stream in streams:
        stream.next()
    world.owes_answers = False
    with world.fault("SIGTERM with 500 streams"):
        started_s = time.monotonic()
        world.service.process.signal(signal.SIGTERM)
        retries = []
        for stream in streams:
            last = stream.to_the_end(CLOSED_S)[-1]
            world.require(last.type == "closing", f"a stream ended with {last.type}")
            retries.append(stream.retry_ms or 0)
            stream.close()
        for person in people:
            person.http.close()
        took_s = time.monotonic() - started_s
        world.service.process.wait()
        world.service.start_again()
        load.goes_on()
    world.notes.append(f"all closed after {took_s:.1f} s, to come back after {min(retries)} to {max(retries)} ms")
    world.require(took_s < CLOSED_S, f"the last stream ended after {took_s:.1f} s")
    world.require(len(set(retries)) > STREAMS // 4, "the streams are all told to come back at the same moment")


def take_all_places(world: World, load: Load) -> None:
    """All places for streams taken, and as many idle connections as there are descriptors."""
    people = [_member(world, load.room, number) for number in range(10)]
    with world.fault("all places taken"):
        idle = [socket.create_connection(_address(world), timeout=10) for _ in range(IDLE)]
        streams = [EventStream(world.service.url, people[number % 10].token) for number in range(3 * PLACES)]
        first = [stream.next(ANSWER_S) for stream in streams]
        turned_away = [one for one in first if one.type == "closing"]
        world.notes.append(f"{len(first) - len(turned_away)} streams, {len(turned_away)} turned away")
        world.require(turned_away, "no stream was turned away")
        world.require(
            all(one.data["reason"] == "too_many_connections" for one in turned_away), "turned away for another reason"
        )
        for _ in range(10):
            started_s = time.monotonic()
            healthy = httpx.get(f"{world.service.url}/healthz", timeout=ANSWER_S).status_code == 200
            with Person(world.service.url, token=people[0].token) as again:
                load.say(load.room, "while all places are taken", by=again)
            took_s = time.monotonic() - started_s
            world.require(healthy, "the health check failed")
            world.require(took_s < ANSWER_S, f"health and a send took {took_s:.1f} s")
        for one in [*idle, *streams]:
            one.close()
        for person in people:
            person.http.close()


def _member(world: World, room: str, number: int) -> Person:
    person = Person(world.service.url, f"Crowd {number}")
    person.join(room)
    return person


def _address(world: World) -> tuple[str, int]:
    parts = urlsplit(world.service.url)
    return parts.hostname or "", parts.port or 80


def _stuck(world: World, person: Person, room: str) -> socket.socket:
    """Asks for the stream and then never reads."""
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.connect(_address(world))
    request = f"GET /api/v1/events/stream?rooms={room} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {person.token}"
    reader.sendall(f"{request}\r\n\r\n".encode())
    return reader


def _delivery_s(load: Load, room: str, stream: EventStream) -> float:
    started_s = time.monotonic()
    load.say(room, "probe")
    stream.messages(1)
    return time.monotonic() - started_s


def _memory(world: World) -> int:
    return sum(psutil.Process(pid).memory_info().rss for pid in world.service.workers())


def _peers(world: World) -> set[object]:
    """The other ends of the workers' connections."""
    return {one.raddr for pid in world.service.workers() for one in psutil.Process(pid).net_connections("tcp")}


def _transactions(world: World) -> int:
    """What PostgreSQL has done for the service so far; -1 elsewhere."""
    return world.transactions() if world.database == "postgres" else -1
