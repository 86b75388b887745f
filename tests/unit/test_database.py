"""Database: what a failing write leaves behind."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import IntegrityError

from chatapp.storage.database import Database
from chatapp.storage.database import engine_options
from chatapp.storage.database import prepare
from chatapp.storage.statements import Rows


def test_a_write_that_fails_gives_its_lock_back(tmp_path: Path) -> None:
    """Also while somebody still looks at the error, whose traceback holds the cursor."""
    url = f"sqlite:///{tmp_path / 'chat.db'}"
    engine = create_engine(url, **engine_options(url))
    prepare(engine)
    database = Database(engine)

    def fail(rows: Rows) -> None:
        rows._cursor.execute("CREATE TABLE kept (number INTEGER PRIMARY KEY)")
        for _ in range(2):
            rows._cursor.execute("INSERT INTO kept VALUES (1)")

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
