"""Upgrades of a schema that is in use: by real processes, on a real PostgreSQL, with others at work beside them."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from flask_migrate import upgrade as upgrade_schema

from chatapp.config import Config
from chatapp.storage.models import db
from chatapp.web import create_app
from tests.conftest import Start
from tests.support.person import Person
from tests.support.postgres import Postgres
from tests.support.processes import wait_until
from tests.support.service import ROOT

MESSAGES = """
INSERT INTO messages (id, room_id, sender_id, local_id, content_hash, body, status, created_at, log_id)
SELECT 'message-' || i, 1, 'ada', 'local-id-' || i, '', 'hello', 'sent', now(), i::bigint << 20
FROM generate_series(1, 40000) AS i
"""
EVENTS = """
INSERT INTO events (number, room_id, type, message_id, log_id)
SELECT i, 1, 'message.created', 'message-' || i, i::bigint << 20 FROM generate_series(1, 40000) AS i
"""
INDEXES = "SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"


@pytest.fixture
def url(postgres: Postgres, tmp_path: Path) -> str:
    """A database of an old schema, with 40,000 messages."""
    url = postgres.database()
    with create_app(Config.from_environ({"CHATAPP_DATA": str(tmp_path), "DATABASE_URL": url})).app_context():
        upgrade_schema(revision="0001")
        db.engine.dispose()
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO users (id, name, created_at) VALUES ('ada', 'Ada', now())")
        connection.execute(MESSAGES)
        connection.execute(EVENTS)
    return url


def begin(url: str, folder: Path) -> subprocess.Popen[str]:
    environ = {**os.environ, "DATABASE_URL": url, "CHATAPP_DATA": str(folder)}
    command = [sys.executable, "-m", "chatapp", "upgrade"]
    return subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def ends_well(upgrade: subprocess.Popen[str]) -> str:
    said, _ = upgrade.communicate(timeout=120)
    assert upgrade.returncode == 0, said
    return said


def indexes(url: str) -> dict[str, bool]:
    """All of ours, and whether each is valid."""
    with psycopg.connect(url) as connection:
        return {name: valid for name, valid in connection.execute(INDEXES).fetchall() if name.startswith("ix_")}


def revision(url: str) -> str:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    assert row is not None
    return str(row[0])


@contextmanager
def writing(url: str) -> Iterator[list[float]]:
    """Somebody sends messages all the time; how long each one took, in seconds."""
    took: list[float] = []
    over = threading.Event()

    def write() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not over.is_set():
                began_s = time.monotonic()
                connection.execute(
                    "INSERT INTO events (number, room_id, type, user_id) VALUES (200000 + %s, 1, 'member.left', 'ada')",
                    [len(took)],
                )
                connection.execute("SELECT count(*) FROM memberships")
                took.append(time.monotonic() - began_s)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield took
    finally:
        over.set()
        writer.join()


def test_hosts_that_start_at_once_upgrade_it_once_while_others_write(url: str, tmp_path: Path) -> None:
    with writing(url) as took:
        wait_until(lambda: len(took) > 0, what="somebody who writes")
        upgrades = [begin(url, tmp_path / str(number)) for number in range(3)]
        for upgrade in upgrades:
            ends_well(upgrade)
    # Of the 40,000 rows an index needs some tenths of a second.
    assert len(took) > 100
    assert max(took) < 4 * 3
    assert set(indexes(url).values()) == {True}


KILLS = 4
WORKING = """
SELECT query FROM pg_stat_activity
WHERE datname = current_database() AND state = 'active' AND query LIKE 'CREATE INDEX CONCURRENTLY%'
"""


def test_nobody_who_writes_waits_for_an_index(url: str, tmp_path: Path) -> None:
    """An index has to wait for a transaction that has written; and others would have to wait for the index."""
    with psycopg.connect(url) as slow, psycopg.connect(url, autocommit=True) as other:
        slow.execute("INSERT INTO events (number, room_id, type, user_id) VALUES (900001, 1, 'member.left', 'ada')")
        upgrade = begin(url, tmp_path)
        making = "ix_events_user_id_log_id_new"
        wait_until(
            lambda: any(making in query for (query,) in other.execute(WORKING).fetchall()),
            what="an index of the table that waits",
        )
        other.execute("SET statement_timeout = '4s'")
        other.execute("INSERT INTO events (number, room_id, type, user_id) VALUES (900002, 1, 'member.left', 'ada')")
        assert upgrade.poll() is None
        slow.rollback()
        ends_well(upgrade)


def test_an_upgrade_that_is_killed_anywhere_goes_on_the_next_time(url: str, tmp_path: Path) -> None:
    """It is killed while it makes its first index, the next one while it makes its next index, and so on."""
    seen: set[str] = set()
    with psycopg.connect(url, autocommit=True) as connection:

        def makes_another() -> bool:
            making = {query for (query,) in connection.execute(WORKING).fetchall()}
            new = making - seen
            seen.update(making)
            return bool(new)

        for _ in range(KILLS):
            upgrade = begin(url, tmp_path)
            wait_until(makes_another, what="an index that is being made")
            upgrade.kill()
            upgrade.communicate()
    assert len(seen) >= KILLS
    ends_well(begin(url, tmp_path))
    assert set(indexes(url).values()) == {True}


def test_what_an_interrupted_index_left_is_made_again(url: str, tmp_path: Path) -> None:
    # Not unique, and so the index is invalid.
    with psycopg.connect(url, autocommit=True) as connection, pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute("CREATE UNIQUE INDEX CONCURRENTLY ix_events_unpublished_moves ON events (room_id)")
    assert indexes(url)["ix_events_unpublished_moves"] is False
    ends_well(begin(url, tmp_path))
    assert indexes(url)["ix_events_unpublished_moves"] is True


def test_an_index_that_is_whole_is_not_made_again(url: str, tmp_path: Path) -> None:
    """Killed behind it, a migration comes to it once more: while it is made again, nobody would have one."""
    name = "ix_events_unpublished_moves"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            f"CREATE INDEX {name} ON events (number) WHERE log_id IS NULL AND user_id IS NOT NULL".encode()
        )
        oid = connection.execute(f"SELECT to_regclass('{name}')::oid".encode()).fetchone()
        ends_well(begin(url, tmp_path))
        assert connection.execute(f"SELECT to_regclass('{name}')::oid".encode()).fetchone() == oid


def test_a_table_that_is_in_use_is_waited_for_and_nobody_waits_behind(url: str, tmp_path: Path) -> None:
    """A backup reads for hours: whoever wants the table for himself would stop all who come after."""
    with psycopg.connect(url) as backup, writing(url) as took:
        backup.execute("LOCK TABLE memberships IN ACCESS SHARE MODE")
        upgrade = begin(url, tmp_path)
        assert upgrade.stdout is not None
        assert "waits for a table that is in use" in upgrade.stdout.readline()
        backup.rollback()
        ends_well(upgrade)
    assert max(took) < 4 * 3


def stamp(url: str, revision: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = %s", [revision])


def test_a_schema_that_is_a_step_newer_is_served_and_two_are_refused(
    postgres: Postgres, start_service: Start, tmp_path: Path
) -> None:
    """An older version that starts again while a newer one is rolled out."""
    url = postgres.database()
    ends_well(begin(url, tmp_path))
    newest = int(revision(url))
    with psycopg.connect(url) as connection:
        for table in ("events", "messages", "rooms", "users", "memberships", "sessions", "receipts"):
            connection.execute(f"ALTER TABLE {table} ADD COLUMN of_tomorrow text".encode())
    stamp(url, f"{newest + 1:04}")
    service = start_service("postgres", DATABASE_URL=url)
    with Person(service.url, "Ada") as ada, ada.stream(rooms="general") as stream:
        sent = ada.send("general", "hello")
        assert stream.until("message.created").data["message"]["id"] == sent["id"]
    assert "is of a newer chatapp, and is served as it is" in service.log()
    stamp(url, f"{newest + 2:04}")
    upgrade = begin(url, tmp_path)
    said, _ = upgrade.communicate(timeout=60)
    assert upgrade.returncode == 1
    assert f"DATABASE_URL: the schema, {newest + 2:04}, is of a newer chatapp" in said
    assert "Traceback" not in said
