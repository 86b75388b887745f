"""`/metrics`: what all workers counted, also those that were killed since, for those who may see it."""

import signal
from pathlib import Path

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import Start
from tests.support.person import Person
from tests.support.processes import wait_until
from tests.support.redis_server import RedisServer
from tests.support.service import Service

Counts = dict[tuple[str, frozenset[tuple[str, str]]], float]


def counts(service: Service, **headers: str) -> Counts:
    """Every sample, by its name and labels; read by Prometheus' own parser."""
    answer = httpx.get(f"{service.url}/metrics", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = list(text_string_to_metric_families(answer.text))
    assert len({family.name for family in families}) == len(families)
    samples = [sample for family in families for sample in family.samples]
    assert all("pid" not in sample.labels for sample in samples)
    return {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}


def value(found: Counts, name: str, **labels: str) -> float:
    return found.get((name, frozenset(labels.items())), 0.0)


@pytest.fixture(scope="module")
def alone(start_service: Start) -> Service:
    """Two workers that nobody else uses."""
    return start_service("postgres")


def test_what_all_workers_count_is_added_up_and_outlives_them(alone: Service) -> None:
    before = counts(alone)
    with Person(alone.url, "Ada") as ada:
        room = ada.create_room()
        for _ in range(5):
            ada.send(room, "counted")
        first = ada.send(room, "once", local_id="counted-once")
        assert ada.send(room, "once", local_id="counted-once")["id"] == first["id"]
        assert ada.post(room, "").status_code == 422
        assert ada.batch({"room": room}).status_code == 200
        # Each change of workers, with and without a word, changes nothing.
        for change in (lambda _: None, kill_all, reload):
            change(alone)
            found = counts(alone)
            rise = lambda name, **labels: value(found, name, **labels) - value(before, name, **labels)  # noqa: B023, E731
            assert rise("chat_sends_total", outcome="created") == 6
            assert rise("chat_sends_total", outcome="replayed") == 1
            assert rise("chat_sends_total", outcome="invalid_message") == 2
            assert rise("chat_refusals_total", code="invalid_message") == 1
            assert rise("chat_events_total", type="message.created") == 6
            assert rise("chat_send_seconds_count") == 7
            assert rise("chat_commit_rows_sum") == 6
    # Those of the master and its workers, and one for all that are gone, once the last of them is buried.
    wait_until(lambda: len(list(folder(alone).glob("counter_*.db"))) <= 4, what="few files")


def kill_all(service: Service) -> None:
    before = set(service.workers())
    service.kill_workers()
    wait_until(lambda: len(set(service.workers()) - before) == 2 and service.ready(), what="other workers")


def reload(service: Service) -> None:
    before = set(service.workers())
    service.process.popen.send_signal(signal.SIGHUP)
    wait_until(lambda: len(service.workers()) == 2 and not before & set(service.workers()), what="a reload")
    wait_until(service.ready, what="the service")


def folder(service: Service) -> Path:
    """Where its workers count: the master holds a file open there."""
    files = [Path(one.path) for one in psutil.Process(service.process.pid).open_files()]
    return next(file.parent for file in files if file.parent.name.startswith("chatapp-metrics-"))


def test_connections_are_those_of_now(service: Service) -> None:
    with Person(service.url, "Ada") as ada, Person(service.url, "Bob") as bob:
        room = ada.create_room()
        bob.join(room)
        before = counts(service)
        at = lambda transport: (  # noqa: E731
            value(counts(service), "chat_connections", transport=transport)
            - value(before, "chat_connections", transport=transport)
        )
        with bob.stream() as stream:
            stream.until("ready")
            assert at("stream") == 1
            ada.send(room, "heard")
            stream.until("message.created")
        wait_until(lambda: at("stream") <= 0, what="the end of the stream")
        after = counts(service)
        for name, labels in (
            ("chat_deliveries_total", {"transport": "stream"}),
            ("chat_streams_ended_total", {"reason": "gone"}),
        ):
            assert value(after, name, **labels) > value(before, name, **labels)
        cursor = bob.cursor()
        ada.send(room, "polled")
        assert bob.poll(cursor, wait=5)["events"]
        polled = counts(service)
        assert value(polled, "chat_deliveries_total", transport="poll") > value(
            after, "chat_deliveries_total", transport="poll"
        )
        assert value(polled, "chat_connections", transport="poll") == value(
            before, "chat_connections", transport="poll"
        )


def test_what_waits_for_redis_is_seen(start_service: Start, redis_server: RedisServer) -> None:
    service = start_service("sqlite", REDIS_URL=redis_server.url)
    with Person(service.url, "Ada") as ada:
        ada.send("general", "there")
        wait_until(lambda: value(counts(service), "chat_outbox_rows") == 0, what="an empty outbox")
        assert value(counts(service), "chat_redis_up") == value(counts(service), "chat_database_up") == 1
        redis_server.process.kill()
        assert ada.post("general", "away").status_code == 201
        found = counts(service)
        assert value(found, "chat_redis_up") == 0
        assert value(found, "chat_outbox_rows") == 1
        wait_until(lambda: value(counts(service), "chat_outbox_age_seconds") > 0.2, what="age")


@pytest.mark.parametrize("field", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_without_a_token_only_this_machine_may_look(alone: Service, field: str) -> None:
    """A proxy on this machine asks for others."""
    answer = httpx.get(f"{alone.url}/metrics", headers={field: "127.0.0.1"})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_what_came_through_a_proxy_is_refused_whomever_it_names(start_service: Start) -> None:
    """The inner one of two, asked past the outer, says too little to be believed: the address stays that of a proxy."""
    service = start_service("sqlite", CHATAPP_PROXIES="2")

    def asked(headers: dict[str, str]) -> int:
        return httpx.get(f"{service.url}/metrics", headers=headers).status_code

    for address in ("192.0.2.7", "127.0.0.1", "127.0.0.1, 192.0.2.7", "::1, ::1"):
        assert asked({"X-Forwarded-For": address}) == 403
    assert asked({"X-Real-IP": "192.0.2.7"}) == 403
    assert asked({}) == 200


def test_with_a_token_nobody_else_may_look(start_service: Start) -> None:
    service = start_service("sqlite", CHATAPP_METRICS_TOKEN="of-prometheus")
    for headers in ({}, {"Authorization": "Bearer of-another"}, {"Authorization": "of-prometheus"}):
        answer = httpx.get(f"{service.url}/metrics", headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert counts(service, Authorization="Bearer of-prometheus")


def test_a_master_leaves_nothing_behind_and_clears_up_after_one_that_was_killed(start_service: Start) -> None:
    service = start_service("sqlite")
    left = folder(service)
    workers = service.workers()
    service.kill()
    wait_until(lambda: not any(psutil.pid_exists(pid) for pid in workers), what="the end of its workers")
    # Or by a service that starts beside it just now.
    service.start_again()
    assert not left.exists()
    here = folder(service)
    service.stop()
    assert not here.exists()
