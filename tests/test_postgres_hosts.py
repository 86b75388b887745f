"""A database on several servers: one of them is silent, or is followed by another, or has become a standby."""

import time
from collections.abc import Callable

import psycopg
import pytest
from sqlalchemy import NullPool
from sqlalchemy import create_engine
from sqlalchemy import func
from sqlalchemy import select

from chatapp.config import Config
from chatapp.errors import Unavailable
from chatapp.storage import Database
from chatapp.storage import Prepared
from chatapp.storage.postgres_hosts import PostgresHosts
from tests.conftest import Start
from tests.support.followers import StreamFollower
from tests.support.moving_name import MovingName
from tests.support.person import Person
from tests.support.person import new_local_id
from tests.support.postgres import Postgres
from tests.support.processes import wait_until
from tests.support.redis_server import RedisServer
from tests.support.silent import silent
from tests.test_failover import said_next

# After the failover everything is live again within ten seconds; fourfold room.
LIVE_AGAIN_S = 10.0 * 4
SECRET = "of the test, 32 bytes and a few more"
Clusters = Callable[..., Postgres]


def address(url: str, *ports: int) -> str:
    """The same database on several servers of this machine."""
    hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
    return f"postgresql://chat@{hosts}/{url.rpartition('/')[2]}"


def sent(person: Person, body: str) -> str:
    """It is tried again until it is answered, as a client does. Its cursor."""
    local_id = new_local_id()
    answers = []

    def stored() -> bool:
        answers[:] = [person.post("general", body, local_id=local_id)]
        return answers[0].status_code in (200, 201)

    wait_until(stored, LIVE_AGAIN_S, "an answer that it is stored")
    return str(answers[0].json()["id"])


def test_a_silent_server_in_front_costs_one_look(start_service: Start, postgres: Postgres) -> None:
    with silent() as port:
        service = start_service("postgres", DATABASE_URL=address(postgres.database(), port, postgres.port))
        with Person(service.url, "Ada") as ada:
            ada.send("general", "the first finds out")
            began_s = time.monotonic()
            for number in range(10):
                ada.send("general", f"number {number}")
            # Of each connection that is made, the silent server would take a second and a half.
            assert time.monotonic() - began_s < 4.0
        assert "unavailable" not in service.log()
        service.stop()


def test_the_one_that_answered_is_asked_first(postgres: Postgres) -> None:
    with silent() as port:
        url = Config.from_environ({"DATABASE_URL": address(postgres.database(), port, postgres.port)}).database_url
        engine = create_engine(url, poolclass=NullPool)
        PostgresHosts(1.0).prepare(engine)
        engine.connect().close()
        began_s = time.monotonic()
        for _ in range(4):
            engine.connect().close()
        # psycopg gives the silent one two seconds each time.
        assert time.monotonic() - began_s < 4 * 2.0
        engine.dispose()


def test_servers_are_found_by_their_names(start_service: Start, postgres: Postgres, redis_server: RedisServer) -> None:
    """gevent looks names up in threads, which a copy of a process does not have."""
    service = start_service(
        "postgres",
        DATABASE_URL=postgres.database().replace("127.0.0.1", "localhost"),
        REDIS_URL=redis_server.url.replace("127.0.0.1", "localhost"),
    )
    with Person(service.url, "Ada") as ada:
        assert ada.send("general", "hello")["cursor"]
    service.stop()


def test_what_was_acknowledged_outlives_the_primary_with_a_synchronous_standby(
    start_service: Start, redis_server: RedisServer, clusters: Clusters
) -> None:
    primary = clusters("primary")
    url = primary.database()
    standby = clusters("standby", standby_of=primary)
    primary.ask("ALTER SYSTEM SET synchronous_standby_names TO '*'")
    primary.ask("SELECT pg_reload_conf()")
    wait_until(
        lambda: primary.ask("SELECT sync_state FROM pg_stat_replication") == "sync", what="the synchronous standby"
    )
    service = start_service(
        "postgres",
        DATABASE_URL=address(url, primary.port, standby.port),
        REDIS_URL=redis_server.url,
        CHATAPP_RATE_BURST="1000",
    )
    with Person(service.url, "Ada") as ada, Person(service.url, "Bob") as bob:
        follower = StreamFollower(bob)
        before = [f"before {number}" for number in range(50)]
        ids = [ada.send("general", body)["id"] for body in before]
        primary.server.kill()
        killed_s = time.monotonic()
        assert standby.ask("SELECT pg_promote()")
        after = [f"after {number}" for number in range(20)]
        ids += [sent(ada, body) for body in after]
        assert [said_next(follower) for _ in before + after] == before + after
        print(f"live again after {time.monotonic() - killed_s:.1f} s")
        follower.close()
    with psycopg.connect(standby.on(url)) as connection:
        stored = {id_ for (id_,) in connection.execute("SELECT id FROM messages").fetchall()}
    assert stored >= set(ids)
    assert "Traceback" not in service.log()
    service.stop()


@pytest.mark.parametrize("by", ["name", "hosts"])
def test_the_old_primary_goes_on_as_one_that_cannot_be_written(
    start_service: Start, redis_server: RedisServer, clusters: Clusters, by: str
) -> None:
    """Connections to it stay, and answer everything but what has to be stored. On the second host nobody writes."""
    primary = clusters("primary")
    url = primary.database()
    standby = clusters("standby", standby_of=primary)
    with MovingName(primary.port) as name:
        ports = (primary.port, standby.port) if by == "hosts" else (name.port,)
        service, reading = (
            start_service("postgres", DATABASE_URL=address(url, *ports), REDIS_URL=redis_server.url, **settings)
            for settings in ({"SECRET_KEY": SECRET, "WEB_CONCURRENCY": "1"},) * 2
        )
        with Person(service.url, "Ada") as ada, Person(reading.url, "Bob") as bob:
            follower = StreamFollower(bob)
            ada.send("general", "before")
            assert said_next(follower) == "before"
            wait_until(lambda: standby.caught_up_with(primary), what="the standby")
            primary.ask("ALTER SYSTEM SET default_transaction_read_only TO on")
            primary.ask("SELECT pg_reload_conf()")
            # What it stored after this, the other would never have. It tells its connections before it takes a new one.
            wait_until(lambda: primary.ask("SHOW default_transaction_read_only") == "on", what="the old one, read only")
            assert standby.ask("SELECT pg_promote()")
            name.point_to(standby.port)
            moved_s = time.monotonic()
            sent(ada, "after")
            assert said_next(follower) == "after"
            for one in (service, reading):
                wait_until(one.ready, LIVE_AGAIN_S, "readyz")
            print(f"live again after {time.monotonic() - moved_s:.1f} s")
            follower.close()
        for one in (service, reading):
            assert "Traceback" not in one.log()
            one.stop()


def test_all_of_them_away_is_one_line_that_names_each(start_service: Start, postgres: Postgres) -> None:
    url = address(postgres.database(), 1, 2)
    with pytest.raises(
        RuntimeError, match=r"DATABASE_URL: the database cannot be used: 127\.0\.0\.1:1: .*; 127\.0"
    ) as end:
        start_service("postgres", DATABASE_URL=url)
    assert "Traceback" not in str(end.value)


def test_whoever_leaves_a_server_takes_no_connection_along(postgres: Postgres, clusters: Clusters) -> None:
    """Not that of a write under way either: it would be the one that all later writes use."""
    here, there = postgres, clusters("there")
    with MovingName(here.port) as name:
        url = here.database()
        url_there = there.database()
        there.ask(f"ALTER DATABASE {url_there.rpartition('/')[2]} RENAME TO {url.rpartition('/')[2]}")
        engine = create_engine(address(url, name.port).replace("postgresql:", "postgresql+psycopg:"))
        database = Database(engine)
        port = Prepared(select(func.inet_server_port()))

        def write(during: Callable[[], None] = lambda: None) -> int:
            return database.write_rows(lambda rows: (rows.ask(port)[0][0], during())[0])

        def read() -> int:
            return int(database.read(lambda tx: tx.execute(select(func.inet_server_port())).scalar_one()))

        assert (write(), read()) == (here.port, here.port)
        pid = database.read(lambda tx: tx.execute(select(func.pg_backend_pid())).scalar_one())
        database.follow_address()
        assert database.read(lambda tx: tx.execute(select(func.pg_backend_pid())).scalar_one()) == pid
        name.point_to(1)
        database._followed_s = -60.0
        with pytest.raises(Unavailable):
            database.follow_address()
        name.point_to(there.port)
        assert (write(), read()) == (here.port, here.port)
        database._followed_s = database._left_s = -60.0
        assert write(database.follow_address) == here.port
        assert (write(), read()) == (there.port, there.port)
        database.close()
