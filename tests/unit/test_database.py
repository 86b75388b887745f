"""Database: what a failing write leaves behind."""

import sqlite3
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import IntegrityError

from chatapp.errors import Unavailable
from chatapp.storage.database import Database
from chatapp.storage.database import engine_options
from chatapp.storage.database import prepare
from chatapp.storage.statements import Rows
from tests.support.postgres import Postgres


def test_a_write_that_fails_gives_its_lock_back(tmp_path: Path) -> None:
    """Also while somebody still looks at the error, whose traceback holds the cursor."""
    url = f"sqlite:///{tmp_path / 'chat.db'}"
    engine = create_engine(url, **engine_options(url))
    prepare(engine)
    database = Database(engine)

    def fail(rows: Rows) -> None:
        rows._driver.execute("CREATE TABLE kept (number INTEGER PRIMARY KEY)")
        for _ in range(2):
            rows._driver.execute("INSERT INTO kept VALUES (1)")

    with pytest.raises(IntegrityError) as seen:
        database.write_rows(fail)
    other = sqlite3.connect(tmp_path / "chat.db", timeout=0, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("ROLLBACK")
    assert other.execute("SELECT name FROM sqlite_master").fetchall() == []
    other.close()
    assert seen.value.orig is not None
    database.write_rows(lambda rows: None)
    database.close()


def test_what_postgres_refuses_is_not_taken_for_a_lost_connection(postgres: Postgres) -> None:
    """Otherwise one refused row would be repeated, with all that are written beside it."""
    url = postgres.database().replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(url, **engine_options(url))
    database = Database(engine)
    database.write_rows(lambda rows: rows._driver.execute("CREATE TABLE kept (number INTEGER PRIMARY KEY)"))

    def twice(rows: Rows) -> None:
        for _ in range(2):
            rows._driver.execute("INSERT INTO kept VALUES (1)")

    with pytest.raises(IntegrityError):
        database.write_rows(twice)

    def lost(rows: Rows) -> None:
        pid = rows._driver.execute("SELECT pg_backend_pid()").fetchone()
        with psycopg.connect(url.replace("+psycopg", "")) as other:
            other.execute("SELECT pg_terminate_backend(%s)", pid)
        rows._driver.execute("SELECT 1")

    with pytest.raises(Unavailable):
        database.write_rows(lost)
    database.write_rows(lambda rows: rows._driver.execute("INSERT INTO kept VALUES (1)"))
    database.close()
