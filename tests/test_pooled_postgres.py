"""PostgreSQL as others give it: behind a PgBouncer of transactions or of sessions, with a schema for each tenant."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from sqlalchemy import create_engine
from sqlalchemy import text

from chatapp.server import upgrade_lock
from chatapp.storage import engine_options
from chatapp.storage import prepare
from tests.conftest import Start
from tests.support.open_folder import open_folder
from tests.support.person import Person
from tests.support.pgbouncer import PgBouncer
from tests.support.postgres import Postgres
from tests.support.service import ROOT

# So many rounds that each of the pooler's servers serves both workers many times.
ROUNDS = 30


@pytest.fixture(params=["transaction", "session"])
def pgbouncer(request: pytest.FixtureRequest, postgres: Postgres) -> Iterator[PgBouncer]:
    with open_folder() as folder:
        server = PgBouncer(folder / "pgbouncer", postgres, request.param)
        yield server
        server.stop()


def settings_of_servers(url: str) -> set[tuple[str, ...]]:
    """What a transaction of somebody else would find set, asked of many."""
    names = ("statement_timeout", "lock_timeout", "enable_seqscan", "transaction_isolation", "TimeZone")
    found = set()
    for _ in range(20):
        with psycopg.connect(url, prepare_threshold=None) as connection:
            row = connection.execute("SELECT " + ", ".join(f"current_setting('{name}')" for name in names)).fetchone()
            assert row is not None
            found.add(row)
    return found


def test_the_service_works_behind_a_pooler(pgbouncer: PgBouncer, start_service: Start) -> None:
    url = pgbouncer.database()
    before = settings_of_servers(url)
    service = start_service("postgres", DATABASE_URL=url)
    with Person(service.url, "Ada") as ada, Person(service.url, "Bob") as bob:
        room = ada.create_room()
        bob.join(room)
        with bob.stream(rooms=room) as stream:
            stream.until("ready")
            for number in range(ROUNDS):
                sent = ada.send(room, f"number {number}")
                assert stream.until("message.created").data["message"]["id"] == sent["id"]
                assert ada.http.patch(f"/messages/{sent['id']}", json={"body": "edited"}).status_code == 200
                assert stream.until("message.updated").data["message"]["body"] == "edited"
                assert len(bob.page(room)["messages"]) == number + 1
        assert bob.ack(ada.cursor()).status_code == 204
        with ada.stream(last_event_id="0-0", rooms=room) as stream:
            stream.until("message.status", status="delivered")
    assert "Traceback" not in service.log()
    assert "unavailable" not in service.log()
    # Whoever else uses the pooler finds nothing of what the service sets.
    assert settings_of_servers(url) == before


def chatapp(command: str, url: str, folder: Path) -> subprocess.Popen[str]:
    environ = {**os.environ, "DATABASE_URL": url, "CHATAPP_DATA": str(folder)}
    program = [sys.executable, "-m", "chatapp", command]
    return subprocess.Popen(program, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_an_upgrade_waits_for_another_behind_a_pooler(pgbouncer: PgBouncer, tmp_path: Path) -> None:
    url = pgbouncer.database()
    with psycopg.connect(url, prepare_threshold=None) as other:
        other.execute(f"SELECT pg_advisory_xact_lock({upgrade_lock.KEY})".encode())
        upgrade = chatapp("upgrade", url, tmp_path)
        assert upgrade.stdout is not None
        assert "waiting for the upgrade of another" in upgrade.stdout.readline()
        assert upgrade.poll() is None
    said, _ = upgrade.communicate(timeout=60)
    assert upgrade.returncode == 0, said
    said, _ = chatapp("check", url, tmp_path).communicate(timeout=60)
    assert "the newest" in said


@pytest.mark.parametrize("more", ["", " -c work_mem=8MB --statement_timeout=2500"])
def test_two_tenants_in_one_database_share_nothing(postgres: Postgres, start_service: Start, more: str) -> None:
    url = postgres.database()
    with psycopg.connect(url, autocommit=True) as connection:
        for tenant in ("one", "two"):
            connection.execute(f"CREATE SCHEMA {tenant}".encode())
    services = [
        start_service("postgres", DATABASE_URL=f"{url}?options={quote(f'-csearch_path={tenant}{more}')}")
        for tenant in ("one", "two")
    ]
    with Person(services[0].url, "Ada") as ada, Person(services[1].url, "Bob") as bob:
        ada.send("general", "for tenant one")
        bob.send("general", "for tenant two")
        assert [one["body"] for one in ada.history("general")] == ["for tenant one"]
        assert [one["body"] for one in bob.history("general")] == ["for tenant two"]
        assert bob.http.get("/rooms/general/members").json()["members"][0]["id"] == bob.id
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT DISTINCT schemaname FROM pg_tables WHERE tablename = 'messages'").fetchall()
    assert sorted(tables) == [("one",), ("two",)]


def test_what_the_address_sets_wins(postgres: Postgres) -> None:
    url = postgres.database().replace("postgresql://", "postgresql+psycopg://")
    url += "?options=" + quote("-c statement_timeout=2500 --TimeZone=Asia/Tokyo")
    engine = create_engine(url, **engine_options(url))
    prepare(engine)
    with engine.connect() as connection:
        found = [
            connection.execute(text(f"SHOW {name}")).scalar()
            for name in ("statement_timeout", "timezone", "lock_timeout")
        ]
    engine.dispose()
    assert found == ["2500ms", "Asia/Tokyo", "3s"]
