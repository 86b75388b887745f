"""Another database behind the same address, beside the same Redis: a restored backup, a promoted standby.

What came after the backup is lost, and nothing else: nothing of it is shown any more, what is said from then on is seen
live by everybody, above all that was ever shown, and whoever was shown what is lost is told to begin anew.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from chatapp.config import Config
from chatapp.eventlog.incarnations import Incarnations
from chatapp.web import create_app
from chatapp.web import services
from tests.conftest import Start
from tests.support.followers import place
from tests.support.moving_name import MovingName
from tests.support.person import Person
from tests.support.person import new_local_id
from tests.support.postgres import Postgres
from tests.support.processes import wait_until
from tests.support.redis_server import RedisServer
from tests.support.service import Service

BACK_WITHIN_S = 20.0
# Whoever checks every two seconds has found it by then, on a busy machine, too.
FOUND_WITHIN_S = 15.0
SECRET = "one for all hosts, as there has to be"


def say(person: Person, count: int, what: str) -> list[dict[str, object]]:
    """One after the other; each is tried again until it is answered, as a client does."""
    return [_sent(person, f"{what} {number}") for number in range(count)]


def kept(person: Person) -> str:
    """Five messages, and the cursor of the last one, by which the database has it."""
    return str([person.send("general", f"kept {number}") for number in range(5)][-1]["cursor"])


def _sent(person: Person, body: str) -> dict[str, object]:
    local_id = new_local_id()
    answers: list[httpx.Response] = []

    def stored() -> bool:
        try:
            answers.append(person.post("general", body, local_id))
        except httpx.TransportError:
            return False
        return answers[-1].status_code in (200, 201)

    wait_until(stored, BACK_WITHIN_S, f"{body} is stored")
    document: dict[str, object] = answers[-1].json()
    return document


def texts(answer: dict[str, object]) -> list[str]:
    events = answer["events"]
    assert isinstance(events, list)
    return [one["message"]["body"] for one in events if one["type"] == "message.created"]


def read_until(person: Person, since: str, last: str) -> list[str]:
    """Everything from a cursor on, live, until this is seen."""
    seen: list[str] = []
    cursor = [since]

    def there() -> bool:
        answer = person.poll(cursor[0])
        assert "reset" not in answer
        seen.extend(texts(answer))
        cursor[0] = answer["cursor"]
        return last in seen

    wait_until(there, BACK_WITHIN_S, f"{last} is seen")
    return seen


def resets(person: Person, since: str) -> str:
    """The cursor to go on from, once the service says that this one does not go on."""
    found: list[str] = []

    def told() -> bool:
        try:
            answer = person.poll_once(since, wait=0)
        except (httpx.TransportError, AssertionError):
            return False
        found.append(answer["cursor"])
        return bool(answer.get("reset"))

    wait_until(told, FOUND_WITHIN_S, "reset")
    return found[-1]


def lost_and_new(ada: Person, bob: Person, shown: str, old: str) -> None:
    """What has to hold after the other database is there."""
    since = resets(bob, shown)
    new = say(ada, 30, "new")
    assert read_until(bob, since, "new 29") == [f"new {number}" for number in range(30)]
    history = ada.history("general")
    assert [one["body"] for one in history] == [
        *(f"kept {number}" for number in range(5)),
        *(f"new {number}" for number in range(30)),
    ]
    cursors = [place(one["cursor"]) for one in history]
    assert cursors == sorted(cursors)
    assert cursors[5] > place(shown)
    assert {one["id"] for one in new} == {one["id"] for one in history[5:]}
    # Of those who saw nothing of it nobody begins anew.
    assert [text for text in read_until(bob, old, "new 29") if not text.startswith("kept")] == [
        f"new {number}" for number in range(30)
    ]


def test_a_backup_is_restored_under_the_running_service(
    start_service: Start, postgres: Postgres, redis_server: RedisServer, tmp_path: Path
) -> None:
    url = postgres.database()
    service = start_service("postgres", DATABASE_URL=url, REDIS_URL=redis_server.url)
    with Person(service.url, "Ada") as ada, Person(service.url, "Bob") as bob:
        old = kept(ada)
        postgres.dump(url, tmp_path / "backup")
        say(ada, 60, "lost")
        shown = read_to_end(bob, old)
        stream = bob.stream(since=shown)
        assert stream.next().type == "ready"
        restored = postgres.database()
        postgres.restore(tmp_path / "backup", restored)
        postgres.replace(url, by=restored)
        # Whoever is connected is sent away, and comes back with a cursor that does not go on.
        while (closing := stream.next(FOUND_WITHIN_S)).type != "closing":
            pass
        assert closing.data["reason"] == "rotate"
        resets(bob, closing.data["cursor"])
        stream.close()
        lost_and_new(ada, bob, shown, old)
    assert "Traceback" not in service.log()
    service.stop()


def read_to_end(person: Person, since: str) -> str:
    """Where the last of what is lost was shown."""
    seen: list[str] = []
    while "lost 59" not in seen:
        answer = person.poll(since)
        seen += texts(answer)
        since = answer["cursor"]
    return since


def test_a_backup_is_restored_and_the_service_started_again(
    start_service: Start, postgres: Postgres, redis_server: RedisServer, tmp_path: Path
) -> None:
    """Killed, not ended: nothing was said to anybody."""
    url = postgres.database()
    before = start_service("postgres", DATABASE_URL=url, REDIS_URL=redis_server.url, SECRET_KEY=SECRET)
    with Person(before.url, "Ada") as ada, Person(before.url, "Bob") as bob:
        old = kept(ada)
        postgres.dump(url, tmp_path / "backup")
        say(ada, 60, "lost")
        shown = read_to_end(bob, old)
        before.kill()
        other = postgres.database()
        postgres.restore(tmp_path / "backup", other)
        after = start_service("postgres", DATABASE_URL=other, REDIS_URL=redis_server.url, SECRET_KEY=SECRET)
        with _at(ada, after) as ada_again, _at(bob, after) as bob_again:
            lost_and_new(ada_again, bob_again, shown, old)
    after.stop()


def test_a_standby_that_lagged_behind_is_promoted(
    start_service: Start, redis_server: RedisServer, clusters: Callable[..., Postgres]
) -> None:
    primary = clusters("primary")
    url = primary.database()
    with MovingName(primary.port) as name:
        address = url.replace(f":{primary.port}/", f":{name.port}/")
        service = start_service("postgres", DATABASE_URL=address, REDIS_URL=redis_server.url)
        with Person(service.url, "Ada") as ada, Person(service.url, "Bob") as bob:
            old = kept(ada)
            standby = clusters("standby", standby_of=primary)
            wait_until(lambda: standby.caught_up_with(primary), what="the standby")
            standby.ask("ALTER SYSTEM SET primary_conninfo TO ''")
            standby.ask("SELECT pg_reload_conf()")
            wait_until(lambda: standby.ask("SELECT count(*) FROM pg_stat_wal_receiver") == 0, what="it is alone")
            say(ada, 60, "lost")
            shown = read_to_end(bob, old)
            primary.server.kill()
            assert standby.ask("SELECT pg_promote()")
            name.point_to(standby.port)
            name.cut()
            lost_and_new(ada, bob, shown, old)
        service.stop()


def test_a_host_that_is_cut_off_with_the_old_primary(
    start_service: Start, redis_server: RedisServer, clusters: Callable[..., Postgres]
) -> None:
    """It stores nothing: what it answered with 201 would be thrown away with that database."""
    primary = clusters("primary")
    url = primary.database()
    shared = {"REDIS_URL": redis_server.url, "SECRET_KEY": SECRET}
    cut_off = start_service("postgres", DATABASE_URL=url, **shared)
    standby = clusters("standby", standby_of=primary)
    wait_until(lambda: standby.caught_up_with(primary), what="the standby")
    assert standby.ask("SELECT pg_promote()")
    with Person(cut_off.url, "Ada") as ada:
        ada.send("general", "stored before")
        other = start_service("postgres", DATABASE_URL=standby.on(url), **shared)
        wait_until(lambda: not cut_off.ready(), FOUND_WITHIN_S, "it notices")
        assert other.ready()
        answer = ada.post("general", "would be lost")
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        # The other one is gone: this is the only database that is left.
        other.kill()
        wait_until(cut_off.ready, 2 * FOUND_WITHIN_S, "it takes over")
        ada.send("general", "stored")
    cut_off.stop()


def test_workers_that_find_another_server_at_once_agree(start_service: Start, postgres: Postgres) -> None:
    """After a failover all of them look at the same moment."""
    url = postgres.database()
    start_service("postgres", DATABASE_URL=url, WEB_CONCURRENCY="1").stop()
    config = Config.from_environ({"DATABASE_URL": url, "REDIS_URL": "redis://127.0.0.1:1/0"})
    databases = [services(create_app(config)).database for _ in range(8)]
    incarnations = [Incarnations(database) for database in databases]
    together = threading.Barrier(len(databases))

    def begin(one: Incarnations) -> str:
        one.look()
        together.wait(30)
        return one.begin("elsewhere", "before", lost=True)

    with ThreadPoolExecutor(len(databases)) as workers:
        names = set(workers.map(begin, incarnations))
    for database in databases:
        database.close()
    assert len(names) == 1


def _at(person: Person, service: Service) -> Person:
    return Person(service.url, token=person.token)
