"""The schema that the migrations make is the one that the models say, and what stands in it stays right."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from click.testing import CliRunner
from flask import current_app
from flask_migrate import downgrade
from flask_migrate import upgrade
from sqlalchemy import Engine
from sqlalchemy import event
from sqlalchemy import text

from chatapp.command import cli
from chatapp.config import Config
from chatapp.receiving import history
from chatapp.storage import long_work_engine
from chatapp.storage.models import db
from chatapp.web import create_app
from chatapp.web import services
from chatapp.wire import Content
from chatapp.wire import message_document
from tests.support.postgres import Postgres


@pytest.fixture(params=["postgres", "sqlite"])
def settings(request: pytest.FixtureRequest, postgres: Postgres, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Of a database without a schema, in whose application's context the test runs."""
    settings = {"CHATAPP_DATA": str(tmp_path)}
    if request.param == "postgres":
        settings["DATABASE_URL"] = postgres.database()
    with create_app(Config.from_environ(settings)).app_context():
        yield settings
        db.engine.dispose()


def test_migrations_and_models_agree(settings: dict[str, str]) -> None:
    upgrade()
    with db.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), db.metadata) == []
    downgrade(revision="base")
    upgrade()


def test_receipts_begin_at_the_joining_and_cover_what_was_confirmed(settings: dict[str, str]) -> None:
    """Ada has read a while; Bob's stream has only begun; Cyd left and came back; Dan's joining has no place yet."""
    upgrade(revision="0002")
    with db.engine.begin() as connection:
        for user in ("ada", "bob", "cyd", "dan"):
            connection.execute(
                text("INSERT INTO users (id, name, created_at) VALUES (:user, :user, '2026-01-01')"), {"user": user}
            )
            connection.execute(
                text("INSERT INTO memberships (room_id, user_id, joined_at) VALUES (1, :user, '2026-01-01')"),
                {"user": user},
            )
        for number, user, type_, place in (
            (1, "ada", "joined", 10),
            (2, "bob", "joined", 11),
            (3, "cyd", "joined", 12),
            (4, "cyd", "left", 300),
            (5, "cyd", "joined", 400),
            (6, "dan", "joined", None),
        ):
            connection.execute(
                text(
                    "INSERT INTO events (number, room_id, type, user_id, log_id)"
                    " VALUES (:number, 1, :type, :user, :place)"
                ),
                {"number": number, "user": user, "type": f"member.{type_}", "place": place},
            )
        for user, first, delivered in (("ada", 20, 90), ("bob", 500, 499), ("cyd", 15, 600)):
            connection.execute(
                text("INSERT INTO receipts (room_id, user_id, first, delivered) VALUES (1, :user, :first, :delivered)"),
                {"user": user, "first": first, "delivered": delivered},
            )
    upgrade()
    assert rows("SELECT user_id, joined, first, delivered FROM receipts ORDER BY user_id, joined") == [
        ("ada", 1, 10, 90),
        ("bob", 2, 11, 0),
        ("cyd", 0, 15, 400),
        ("cyd", 5, 400, 600),
        ("dan", 6, None, 0),
    ]
    assert rows("SELECT user_id, joined FROM memberships ORDER BY user_id") == [
        ("ada", 1),
        ("bob", 2),
        ("cyd", 5),
        ("dan", 6),
    ]


NUMBERS = "WITH RECURSIVE number (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < 100000)"
MESSAGES = f"""
INSERT INTO messages (id, room_id, sender_id, local_id, content_hash, body, status, created_at, log_id)
{NUMBERS}
SELECT 'message-' || i, 1, 'ada', 'local-id-' || i, :hash, 'hello', 'sent', '2026-01-01', CAST(i AS BIGINT) * 1048576
FROM number
"""
EVENTS = f"""
INSERT INTO events (number, room_id, type, message_id, log_id)
{NUMBERS} SELECT i, 1, 'message.created', 'message-' || i, CAST(i AS BIGINT) * 1048576 FROM number
"""


def test_a_hundred_thousand_messages_are_taken_along(settings: dict[str, str]) -> None:
    upgrade(revision="0005")
    with roomy_engine().begin() as connection:
        connection.execute(text("INSERT INTO users (id, name, created_at) VALUES ('ada', 'Ada', '2026-01-01')"))
        connection.execute(text(MESSAGES), {"hash": Content("hello").hash_in("general")})
        connection.execute(text(EVENTS))
    began_s = time.monotonic()
    upgrade()
    took_s = time.monotonic() - began_s
    print(f"{took_s:.1f} s")
    assert took_s < 60
    assert rows("SELECT count(*), count(data), count(DISTINCT content_hash), max(log_id) FROM messages") == [
        (100_000, 0, 1, 100_000 * 1048576)
    ]
    parts = services(current_app)
    message = parts.database.read(lambda tx: history.page(tx, 1, None, None, 1)).messages[0]
    assert message_document.of(message)["data"] is None
    # What was accepted before is a replay.
    assert message.content_hash == Content(message.body).hash_in("general")
    parts.database.close()


def roomy_engine() -> Engine:
    """For what takes longer than the service may."""
    return long_work_engine(db.engine.url) if db.engine.dialect.name == "postgresql" else db.engine


def rows(query: str) -> list[tuple[Any, ...]]:
    with db.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_a_long_upgrade_is_not_cut_off_and_keeps_its_lock(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large table takes minutes: longer than a statement of the service may, or than a transaction may wait."""
    monkeypatch.setenv("DATABASE_URL", postgres.database())
    seen: list[tuple[Any, ...]] = []
    engines: set[Engine] = set()

    def look(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        engines.add(connection.engine)
        if "receipts" in statement:
            with connection.connection.driver_connection.cursor() as other:
                other.execute("SELECT current_setting('statement_timeout')")
                timeout = other.fetchone()
                other.execute(
                    "SELECT state, granted FROM pg_stat_activity JOIN pg_locks USING (pid)"
                    " WHERE locktype = 'advisory' AND datname = current_database()"
                )
                seen.append((*timeout, *other.fetchall()))

    event.listen(Engine, "before_cursor_execute", look)
    try:
        done = CliRunner().invoke(cli.chatapp, ["upgrade"])
    finally:
        event.remove(Engine, "before_cursor_execute", look)
        for engine in engines:
            engine.dispose()
    assert done.exit_code == 0, done.output
    assert set(seen) == {("0", ("idle in transaction", True))}
