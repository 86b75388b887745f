"""`BigDatabase`: a database in which much was said, made by the database itself within seconds.

The same rows on both engines: the statements below are in the words that both know. Its people have no tokens: whoever
acts in it signs in first, or is an `Identity`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy import text

GENERAL = 1
# The first user belongs to so many rooms, from the second on.
# With `general` and those that a test makes, as many as anybody may belong to.
KEEN_ROOMS = 1_900
# What everybody else belongs to, besides `general`.
ROOM_MEMBERS = 3
# The first place in the log: a cursor of the year 2025, 20 bits of sequence below the milliseconds.
FIRST_PLACE = 1_750_000_000_000 << 20
# Events that follow one another stand so many milliseconds apart.
PLACE_STEP = 100 << 20
# Sessions and memberships began then.
THEN = "2026-01-01 00:00:00.000000"
LATER = "2037-01-01 00:00:00.000000"


@dataclass(frozen=True)
class Size:
    """How much there is. Messages are events too; the rest of the events tells their senders of deliveries."""

    messages: int = 200_000
    rooms: int = 10_000
    users: int = 20_000
    events: int = 1_000_000
    # The last messages, which wait to be published.
    waiting: int = 20
    # One message of so many is said in `general`.
    in_general: int = 4


def user_id(number: int) -> str:
    return f"u_{1_000_000 + number}"


def room_name(number: int) -> str:
    return "general" if number == GENERAL else f"room-{1_000_000 + number}"


def message_id(number: int) -> str:
    return f"01990000-0000-7000-8000-{100_000_000_000 + number}"


def room_of(number: int, size: Size) -> int:
    """The room of a message."""
    return GENERAL if number % size.in_general == 0 else 2 + number * 31 % (size.rooms - 1)


def fill(engine: Engine, size: Size) -> None:
    """Fill the tables, which hold nothing but `general`."""
    given = {**vars(size), "then": THEN, "later": LATER, "first": FIRST_PLACE, "step": PLACE_STEP}
    given["last"] = FIRST_PLACE + size.events * PLACE_STEP
    with _at_full_speed(engine) as connection, _without_indexes(connection):
        for statement in (USERS, SESSIONS, ROOMS, MEMBERSHIPS, MESSAGES):
            connection.execute(text(_series(statement)), given)
        # What joinings and messages leave of the events tells of deliveries.
        for statement in (JOININGS, SAID, TOLD, RECEIPTS):
            connection.execute(text(_series(statement)), given)
        if engine.dialect.name == "postgresql":
            for table, column in (("rooms", "id"), ("events", "number")):
                connection.execute(
                    text(f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), max({column})) FROM {table}")
                )
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("SET statement_timeout = 0"))
            # What autovacuum would have done by now.
            connection.execute(text("VACUUM ANALYZE"))


def _series(statement: str) -> str:
    """With `series`, the numbers from 1 to the one that the statement names first."""
    most, _, rest = statement.strip().partition("\n")
    return f"""
        WITH RECURSIVE series (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM series WHERE i < {most})
        {rest}"""


USERS = """:users
INSERT INTO users (id, name, name_order, created_at)
SELECT 'u_' || (1000000 + i), 'Person ' || (1000000 + i), 'person ' || (1000000 + i), :then FROM series
"""
SESSIONS = """:users
INSERT INTO sessions (token_hash, user_id, guest, created_at, expires_at)
SELECT 'hash' || i, 'u_' || (1000000 + i), TRUE, :then, :later FROM series
"""
# Of ten rooms seven are public, two private and one direct; `general` is there.
ROOMS = """:rooms - 1
INSERT INTO rooms (id, name, title, visibility, owner_id, direct_pair, created_at)
SELECT i + 1,
       CASE i % 10 WHEN 9 THEN 'dm-' ELSE 'room-' END || (1000001 + i),
       'Room ' || i,
       CASE WHEN i % 10 < 7 THEN 'public' WHEN i % 10 < 9 THEN 'private' ELSE 'direct' END,
       CASE i % 10 WHEN 9 THEN NULL ELSE 'u_' || (1000001 + i % :users) END,
       CASE i % 10 WHEN 9 THEN 'pair' || i END,
       :then
FROM series
"""
# `joined` is the number of the joining: they come first of all events.
MEMBERSHIPS = f""":users
INSERT INTO memberships (room_id, user_id, name_order, joined_at, joined)
SELECT room_id, user_id, 'person ' || substr(user_id, 3), :then, row_number() OVER (ORDER BY room_id, user_id)
FROM (
  SELECT {GENERAL} AS room_id, 'u_' || (1000000 + i) AS user_id FROM series
  UNION
  SELECT 1 + i, 'u_' || (1000001 + (i * 7 + k) % :users)
  FROM series, (SELECT 0 AS k UNION ALL SELECT 1 UNION ALL SELECT 2) AS members
  WHERE i < :rooms AND (i % 10 <> 9 OR k < 2)
  UNION
  SELECT 1 + i, 'u_1000001' FROM series WHERE i <= {KEEN_ROOMS} AND i < :rooms
) AS pairs
"""
_ROOM = f"CASE WHEN i % :in_general = 0 THEN {GENERAL} ELSE 2 + (i * 31) % (:rooms - 1) END"
_MEMBERS = "(SELECT count(*) FROM memberships)"
# The event of message i has the number of the joinings and i, and stands at its place by its number.
MESSAGES = f""":messages
INSERT INTO messages
  (id, room_id, sender_id, local_id, content_hash, body, status, created_at, log_id)
SELECT '01990000-0000-7000-8000-' || (100000000000 + i),
       {_ROOM},
       'u_' || (1000001 + (i * 17) % :users),
       'local-' || i,
       'hash',
       'What was said as number ' || i || ' of all that was said here, as long as a line of chat is',
       CASE WHEN i % 10 = 0 OR i > :messages - :waiting THEN 'sent' ELSE 'delivered' END,
       :then,
       CASE WHEN i <= :messages - :waiting THEN :first + ({_MEMBERS} + i) * :step END
FROM series
"""
JOININGS = """1
INSERT INTO events (number, room_id, type, user_id, log_id)
SELECT joined, room_id, 'member.joined', user_id, :first + joined * :step FROM memberships
"""
SAID = f""":messages
INSERT INTO events (number, room_id, type, message_id, log_id)
SELECT {_MEMBERS} + i + CASE WHEN i > :messages - :waiting THEN :events ELSE 0 END,
       {_ROOM},
       'message.created',
       '01990000-0000-7000-8000-' || (100000000000 + i),
       CASE WHEN i <= :messages - :waiting THEN :first + ({_MEMBERS} + i) * :step END
FROM series
"""
# Of the published messages, each in turn.
_TOLD = "(1 + i % (:messages - :waiting))"
TOLD = f""":events
INSERT INTO events (number, room_id, type, message_id, target_id, log_id)
SELECT {_MEMBERS} + :messages + i,
       {_ROOM.replace("i ", f"{_TOLD} ")},
       'message.status',
       '01990000-0000-7000-8000-' || (100000000000 + {_TOLD}),
       'u_' || (1000001 + ({_TOLD} * 17) % :users),
       :first + ({_MEMBERS} + :messages + i) * :step
FROM series WHERE i <= :events - :messages - {_MEMBERS}
"""
# Half of the people have read all of it.
RECEIPTS = """1
INSERT INTO receipts (room_id, user_id, joined, first, delivered)
SELECT room_id, user_id, joined, :first + joined * :step,
       CASE WHEN joined % 2 = 0 THEN :last ELSE 0 END
FROM memberships
"""


@contextmanager
def _at_full_speed(engine: Engine) -> Iterator[Connection]:
    """A transaction for which nothing is checked that is right by its making, and that no time-out ends."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.rollback()
            for pragma in ("synchronous = OFF", "foreign_keys = OFF", "cache_size = -400000", "temp_store = MEMORY"):
                driver.execute(f"PRAGMA {pragma}")
            yield connection
            connection.commit()
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            # It is not what the service's connections are.
            connection.invalidate()
        else:
            connection.execute(text("SET statement_timeout = 0"))
            connection.execute(text("SET session_replication_role = replica"))
            connection.execute(text("SET maintenance_work_mem = '512MB'"))
            yield connection
            connection.commit()
            connection.invalidate()


@contextmanager
def _without_indexes(connection: Connection) -> Iterator[None]:
    """Each index is made once, of all rows, instead of row by row."""
    if connection.dialect.name == "sqlite":
        found = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    else:
        found = """
            SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() AND indexname NOT IN
            (SELECT conname FROM pg_constraint WHERE connamespace = current_schema()::regnamespace)"""
    indexes = [(name, made) for name, made in connection.execute(text(found))]
    for name, _ in indexes:
        connection.execute(text(f"DROP INDEX {name}"))
    yield
    for _, made in indexes:
        connection.exec_driver_sql(made)
