"""Nothing blocks the hub: a greenlet measures its own wake-ups while another process locks SQLite."""

import sqlite3
import threading
import time
from pathlib import Path

from tests.conftest import Start
from tests.support.person import Person
from tests.support.probe import start_probe

PROBE = """
import sys, time
import gevent
from chatapp.wire import Content
from chatapp.web import create_app
from chatapp.config import Config
from chatapp.errors import ChatError
from chatapp.sending.committer import Draft
from chatapp.web.current import services

app = create_app(Config.from_environ())
parts = services(app)
parts.start()
who = parts.sessions.new_guest("Probe").identity
with app.app_context():
    room = parts.rooms.create(who, "probe-room", None, "public")

longest_s = 0.0
running = True

def watch():
    global longest_s
    while running:
        before_s = time.perf_counter()
        gevent.sleep(0.005)
        longest_s = max(longest_s, time.perf_counter() - before_s - 0.005)

outcomes = []

def send(number):
    try:
        parts.messaging.send(who, "probe-room", f"probe-{number:04d}", Content("during the lock"))
        outcomes.append("sent")
    except ChatError as error:
        outcomes.append(error.code)

watcher = gevent.spawn(watch)
gevent.sleep(0.2)
longest_s = 0.0
print("ready", flush=True)
gevent.get_hub().threadpool.apply(sys.stdin.readline)  # locked now
started_s = time.perf_counter()
senders = [gevent.spawn(send, number) for number in range(20)]
reader = [gevent.spawn(parts.members.page, who, "probe-room", None, 200, online=False) for _ in range(20)]
gevent.joinall(reader, timeout=9, raise_error=True)
read_s = time.perf_counter() - started_s
gevent.joinall(senders, timeout=10)
running = False
watcher.join()
print(f"{longest_s * 1000:.1f} {read_s * 1000:.1f} {len(outcomes)} {','.join(sorted(set(outcomes)))}", flush=True)
parts.stop()
"""

# The bound is 50 ms; a shared machine gets four times that.
BLOCKED_BOUND_MS = 200.0


def test_a_locked_database_never_stops_the_hub(start_service: Start, tmp_path: Path) -> None:
    service = start_service("sqlite")
    data = service.settings["CHATAPP_DATA"]
    service.stop()
    probe = start_probe(PROBE, {**service.settings, "REDIS_URL": "unix:///nowhere/redis.sock"})
    assert probe.stdin is not None
    assert probe.stdout is not None
    lock = sqlite3.connect(Path(data) / "chat.db", isolation_level=None, timeout=10)
    try:
        assert probe.stdout.readline() == "ready\n"
        lock.execute("BEGIN IMMEDIATE")
        probe.stdin.write("\n")
        probe.stdin.flush()
        threading.Event().wait(3.0)  # The fault itself: a lock held for 3 s.
        lock.execute("ROLLBACK")
        out, _ = probe.communicate(timeout=30)
    finally:
        lock.close()
        probe.kill()
        probe.wait()
    blocked_ms, read_ms, answered, outcomes = out.split()
    print(f"longest wait of the hub: {blocked_ms} ms; reads beside it took {read_ms} ms; sends: {outcomes}")
    assert float(blocked_ms) < BLOCKED_BOUND_MS
    assert float(read_ms) < 2000
    assert int(answered) == 20
    assert set(outcomes.split(",")) <= {"sent", "unavailable"}


def test_streams_and_sends_live_through_a_locked_database(start_service: Start) -> None:
    service = start_service("sqlite", CHATAPP_HEARTBEAT_SECONDS="0.25")
    with Person(service.url, "Ada") as ada, Person(service.url, "Bob") as bob:
        room = ada.create_room()
        bob.join(room)
        with bob.stream(rooms=room) as stream:
            stream.next()
            stream.until("heartbeat")
            lock = sqlite3.connect(Path(service.settings["CHATAPP_DATA"]) / "chat.db", isolation_level=None, timeout=10)
            lock.execute("BEGIN IMMEDIATE")
            outcome: list[tuple[int, str]] = []

            def send() -> None:
                answer = ada.post(room, "x", "locked-0001")
                outcome.append((answer.status_code, answer.text))

            sender = threading.Thread(target=send)
            sender.start()
            gaps_s, last_s = [], time.monotonic()
            while sum(gaps_s) < 3.0:
                stream.until("heartbeat", 5)
                gaps_s.append(time.monotonic() - last_s)
                last_s = time.monotonic()
            lock.execute("ROLLBACK")
            lock.close()
            sender.join(15)
            print(f"longest time between heartbeats of 250 ms: {max(gaps_s) * 1000:.0f} ms")
            assert max(gaps_s) < 0.25 + 0.8
            status, text = outcome[0]
            assert status in (201, 503), text
            if status == 503:
                assert '"retryable":true' in text
            # Whatever the answer was, sending again gives exactly one message.
            assert ada.post(room, "x", "locked-0001").status_code in (200, 201)
            assert [one["localId"] for one in stream.messages(1)] == ["locked-0001"]
            assert len(ada.history(room)) == 1
