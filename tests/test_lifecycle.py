"""Start, stop, crash and return: what was acknowledged stays, and readers go on where they stood."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest
import redis

from tests.conftest import Start
from tests.faults.database_faults import REFUSE_RECORDS
from tests.support.followers import place
from tests.support.person import Person
from tests.support.person import new_local_id
from tests.support.processes import wait_until
from tests.support.redis_server import RedisServer
from tests.support.service import Service

# A whole stop takes at most 5 s; it takes 2 to 4 s here. Fourfold, because the machine is shared.
STOP_BOUND_S = 4 * 5.0


def test_sigterm_closes_every_stream_and_poll_and_stops_soon(start_service: Start) -> None:
    service = start_service("postgres")
    people = [Person(service.url) for _ in range(5)]
    streams = [person.stream() for person in people for _ in range(10)]
    for stream in streams:
        assert stream.next().type == "ready"
    answers: list[dict[str, Any]] = []
    cursor = people[0].cursor()
    polls = [threading.Thread(target=lambda one=one: answers.append(one.poll(cursor, wait=50))) for one in people]
    for poll in polls:
        poll.start()
    # A keep-alive connection without a request must not hold the stop up either.
    idle = httpx.Client(base_url=service.url)
    idle.get("/healthz")
    wait_until(lambda: "ESTABLISHED" in str(psutil.Process(service.workers()[0]).net_connections("tcp")))
    started_s = time.monotonic()
    service.process.signal(signal.SIGTERM)
    retries = set()
    for stream in streams:
        closing = stream.to_the_end(STOP_BOUND_S)[-1]
        assert (closing.type, closing.data["reason"]) == ("closing", "shutdown")
        assert stream.retry_ms == closing.data["retryAfterMs"]
        retries.add(stream.retry_ms)
        stream.close()
    service.process.wait(STOP_BOUND_S)
    took_s = time.monotonic() - started_s
    for poll in polls:
        poll.join(STOP_BOUND_S)
    idle.close()
    for person in people:
        person.http.close()
    print(f"stop took {took_s:.1f} s")
    assert took_s < STOP_BOUND_S
    assert len(answers) == len(people)
    assert len(retries) > len(streams) // 2


def test_a_stream_rotates_and_continues(start_service: Start) -> None:
    service = start_service("sqlite", CHATAPP_STREAM_SECONDS="1", CHATAPP_HEARTBEAT_SECONDS="0.2")
    with Person(service.url, "Ada") as ada:
        room = ada.create_room()
        with ada.stream(rooms=room) as stream:
            events = stream.to_the_end(5)
            assert events[0].type == "ready"
            assert events[-1].data["reason"] == "rotate"
            beats = [one for one in events if one.type == "heartbeat"]
            assert len(beats) >= 3
            assert all(one.id == one.data["cursor"] for one in beats)
            cursor = stream.cursor
        sent = ada.send(room, "between two streams")
        with ada.stream(rooms=room, last_event_id=cursor) as again:
            assert again.messages(1)[0]["id"] == sent["id"]


def test_a_heartbeat_moves_the_cursor_past_what_is_not_for_this_connection(start_service: Start) -> None:
    service = start_service("sqlite", CHATAPP_HEARTBEAT_SECONDS="0.2")
    with Person(service.url, "Ada") as ada, Person(service.url, "Bob") as bob:
        room = ada.create_room()
        with bob.stream(rooms="general") as stream:
            stream.next()
            sent = ada.send(room, "not for this connection")
            wait_until(lambda: place(stream.until("heartbeat").id) >= place(sent["cursor"]))


def test_too_many_connections_of_one_user(start_service: Start) -> None:
    service = start_service("postgres", CHATAPP_MAX_CONNECTIONS_PER_USER="3")
    with Person(service.url, "Ada") as ada, Person(service.url, "Bob") as bob:
        held = [ada.stream() for _ in range(3)]
        assert [stream.next().type for stream in held] == ["ready"] * 3
        with ada.stream() as refused:
            assert refused.status == 200
            (closing,) = refused.to_the_end()
            assert (closing.type, closing.data["reason"]) == ("closing", "too_many_connections")
            assert refused.retry_ms is not None
            assert refused.retry_ms >= 1000
        answer = ada.http.get("/events/poll", params={"since": ada_cursor(bob), "wait": "1"})
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_connections")
        assert int(answer.headers["Retry-After"]) >= 1
        with bob.stream() as other:
            assert other.next().type == "ready"
        for stream in held:
            stream.close()

        def free() -> bool:
            with ada.stream() as again:
                return again.next().type == "ready"

        # The server sees at once who is gone, without having to write to them.
        wait_until(free, 5)
        for _ in range(12):
            with ada.stream() as quick:
                assert quick.next().type in ("ready", "closing")
        wait_until(free, 5)


def ada_cursor(other: Person) -> str:
    return str(other.http.get("/rooms").json()["cursor"])


def test_a_second_service_on_the_same_data_is_refused_in_one_line(start_service: Start, tmp_path: Path) -> None:
    first = start_service("sqlite")
    with pytest.raises(RuntimeError) as refused:
        Service(tmp_path / "second", CHATAPP_DATA=first.settings["CHATAPP_DATA"])
    last_line = str(refused.value).strip().splitlines()[-1]
    assert "CHATAPP_DATA" in last_line
    assert "Traceback" not in str(refused.value)


def embedded_redis(service: Service) -> psutil.Process:
    children = psutil.Process(service.process.pid).children()
    return next(child for child in children if "redis" in child.name() and child.status() != psutil.STATUS_ZOMBIE)


def test_the_embedded_redis_comes_back_and_goes_with_its_master(start_service: Start) -> None:
    service = start_service("sqlite")
    with Person(service.url, "Ada") as ada, Person(service.url, "Bob") as bob:
        room = ada.create_room()
        bob.join(room)
        with bob.stream(rooms=room) as stream:
            stream.next()
            ada.send(room, "before")
            first = embedded_redis(service)
            os.kill(first.pid, signal.SIGKILL)
            meanwhile = ada.post(room, "meanwhile")
            assert meanwhile.status_code == 201
            assert [one["body"] for one in stream.messages(2, 15)] == ["before", "meanwhile"]
            for again in ("once more", "and once more"):
                second = embedded_redis(service)
                assert second.pid != first.pid
                os.kill(second.pid, signal.SIGKILL)
                ada.send(room, again)
                assert stream.messages(1, 15)[0]["body"] == again
                first = second
    assert "Traceback" not in service.log()
    second = embedded_redis(service)
    service.kill()
    wait_until(lambda: not second.is_running() or second.status() == psutil.STATUS_ZOMBIE, 5)
    service.start_again()
    service.stop()
    left = [one for one in psutil.process_iter(["name", "cmdline"]) if str(service.folder) in str(one.info["cmdline"])]
    assert left == []


def test_an_embedded_redis_that_does_not_listen_is_ended_all_the_same(start_service: Start) -> None:
    service = start_service("sqlite")
    stuck = embedded_redis(service)
    stuck.suspend()
    service.stop()
    wait_until(lambda: not stuck.is_running() or stuck.status() == psutil.STATUS_ZOMBIE, 5)


class TestRedisAway:
    """With a Redis that the test owns."""

    @pytest.mark.parametrize("database", ["postgres", "sqlite"])
    def test_messages_are_accepted_and_published_in_order_later(
        self, start_service: Start, redis_server: RedisServer, database: str
    ) -> None:
        service = start_service(database, REDIS_URL=redis_server.url)
        with Person(service.url, "Ada") as ada, Person(service.url, "Bob") as bob:
            room = ada.create_room()
            bob.join(room)
            with bob.stream(rooms=room) as stream:
                stream.next()
                first = ada.send(room, "0")
                assert stream.messages(1)[0]["body"] == "0"
                redis_server.process.kill()
                sent = [ada.post(room, f"{number}") for number in range(1, 11)]
                assert [one.status_code for one in sent] == [201] * 10
                assert ada.post(room, "1", sent[0].json()["localId"]).status_code == 200
                page = ada.page(room)["messages"]
                assert [one["body"] for one in page] == [f"{number}" for number in range(11)]
                assert page[-1]["cursor"] is None
                newest = ada.page(room, limit=3)
                assert [one["body"] for one in newest["messages"]] == ["8", "9", "10"]
                assert newest["hasMore"] is True
                rest = ada.page(room, before=newest["before"])["messages"]
                assert [one["body"] for one in rest] == [f"{number}" for number in range(8)]
                ready = httpx.get(f"{service.url}/readyz")
                assert (ready.status_code, ready.json()["redis"]) == (503, "unavailable")
                assert httpx.get(f"{service.url}/healthz").status_code == 200
                redis_server.start_again()
                assert [one["body"] for one in stream.messages(10, 15)] == [f"{number}" for number in range(1, 11)]
            history = ada.history(room)
            cursors = [place(one["cursor"]) for one in history]
            assert cursors == sorted(cursors)
            assert cursors[0] == place(first["cursor"])
            # Waiting, because the other worker's tail may be a moment later.
            old = bob.poll(first["cursor"], wait=15, rooms=room)["events"]
            assert [one["message"]["body"] for one in old] == [f"{number}" for number in range(1, 11)]
        service.stop()

    def test_a_flush_beneath_blocked_readers_is_noticed(self, start_service: Start, redis_server: RedisServer) -> None:
        service = start_service("postgres", REDIS_URL=redis_server.url)
        with Person(service.url, "Ada") as ada, Person(service.url, "Bob") as bob:
            room = ada.create_room()
            bob.join(room)
            streams = [bob.stream(rooms=room) for _ in range(6)]
            for stream in streams:
                stream.next()
            before = ada.send(room, "before")
            redis_server.client.flushall()
            after = ada.send(room, "after")
            assert place(after["cursor"]) > place(before["cursor"])
            for stream in streams:
                assert [one["body"] for one in stream.messages(2, 10)] == ["before", "after"]
                stream.close()
            for _ in range(4):
                again = bob.poll(before["cursor"], wait=5, rooms=room)["events"]
                assert [one["message"]["body"] for one in again] == ["after"]
        service.stop()

    def test_a_message_keeps_its_place_when_log_and_record_are_lost(
        self, start_service: Start, redis_server: RedisServer
    ) -> None:
        """Published and seen, not recorded, and then the log is gone: it is published again, at the same place."""
        service = start_service("postgres", REDIS_URL=redis_server.url)
        install, remove = REFUSE_RECORDS["postgres"]
        with (
            Person(service.url, "Ada") as ada,
            Person(service.url, "Bob") as bob,
            psycopg.connect(service.settings["DATABASE_URL"], autocommit=True) as database,
        ):
            room = ada.create_room()
            bob.join(room)
            with bob.stream(rooms=room) as stream:
                stream.next()
                database.execute(install)
                ada.post(room, "seen")
                seen = stream.messages(1)[0]
                assert seen["cursor"] is not None
                redis_server.client.flushall()
                after = ada.post(room, "after").json()
                database.execute(remove)
                wait_until(lambda: all(one["cursor"] for one in ada.history(room)), 15)
                history = ada.history(room)
            assert [one["id"] for one in history] == [seen["id"], after["id"]]
            assert history[0]["cursor"] == seen["cursor"]
        service.stop()

    def test_connections_that_ended_meanwhile_are_not_counted(
        self, start_service: Start, redis_server: RedisServer
    ) -> None:
        service = start_service("postgres", REDIS_URL=redis_server.url)
        with Person(service.url, "Ada") as ada:
            streams = [ada.stream() for _ in range(5)]
            for stream in streams:
                stream.next()
            redis_server.process.signal(signal.SIGSTOP)
            for stream in streams:
                stream.close()
            with pytest.raises(redis.TimeoutError):
                redis.Redis(port=redis_server.port, socket_timeout=1, retry=None).ping()
            redis_server.process.signal(signal.SIGCONT)
            key = f"chat:connections:{ada.id}"
            wait_until(lambda: not redis_server.client.hgetall(key), 10)
        service.stop()

    def test_a_stalled_redis_delays_nobody(self, start_service: Start, redis_server: RedisServer) -> None:
        service = start_service("postgres", REDIS_URL=redis_server.url)
        with Person(service.url, "Ada") as ada:
            room = ada.create_room()
            redis_server.process.signal(signal.SIGSTOP)
            try:
                took_s = []
                for number in range(20):
                    started_s = time.monotonic()
                    assert ada.post(room, f"{number}", new_local_id()).status_code == 201
                    took_s.append(time.monotonic() - started_s)
            finally:
                redis_server.process.signal(signal.SIGCONT)
            print(f"slowest send with a stalled Redis: {max(took_s) * 1000:.0f} ms")
            # The promise beside the contract, 1 s for 99 of 100, with the room that a shared machine needs.
            assert max(took_s) < 4
            wait_until(lambda: all(one["cursor"] for one in ada.history(room)), 15)
        service.stop()

    def test_what_is_not_ours_in_redis_is_not_the_end(self, start_service: Start, redis_server: RedisServer) -> None:
        """Whatever else uses this Redis: the tail and the sends survive what they cannot read."""
        service = start_service("sqlite", REDIS_URL=redis_server.url)
        with Person(service.url, "Ada") as ada:
            redis_server.client.delete("chat:events")
            redis_server.client.set("chat:events", "not a stream")
            assert ada.post("general", "still here").status_code == 201
            redis_server.client.delete("chat:events")
            wait_until(lambda: all(one["cursor"] for one in ada.history("general")), 15)
            with ada.stream() as stream:
                stream.next()
                redis_server.client.xadd("chat:events", {"of": "another program"})
                redis_server.client.xadd("chat:signals", {"of": "another program"})
                sent = ada.send("general", "after what is not ours")
                # A tail that is just coming back begins "now" a little earlier.
                while stream.messages(1)[0]["id"] != sent["id"]:
                    continue
        service.stop()
