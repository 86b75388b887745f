"""PostgreSQL: reached with the service's own options, and asked what the service depends on."""

import time
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection
from sqlalchemy import create_engine
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from chatapp.command.check import clock
from chatapp.command.check import hosts
from chatapp.command.check import revision
from chatapp.command.check.finding import Finding
from chatapp.command.check.finding import Level
from chatapp.command.check.finding import error
from chatapp.command.check.finding import first_line
from chatapp.command.check.finding import ok
from chatapp.command.check.finding import warning
from chatapp.config import Config
from chatapp.storage import POSTGRES_CONNECTIONS
from chatapp.storage import engine_options
from chatapp.storage import prepare

PART = "DATABASE_URL"
# psycopg 3 speaks to none older than the first; the tests run on the second.
VERSION_MIN = 10
VERSION_TESTED = 15

# -1 stands for no limit in both catalogues. reserved_connections is there from 16 on.
LIMITS = """
SELECT current_setting('max_connections')::int
     - current_setting('superuser_reserved_connections')::int
     - coalesce(current_setting('reserved_connections', true)::int, 0) AS server,
       (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user) AS role,
       (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database()) AS database
"""


def look(config: Config) -> Iterator[Finding]:
    try:
        engine = create_engine(config.database_url, **engine_options(config.database_url))
    except (SQLAlchemyError, ValueError):
        # What they say about it may quote any piece of it.
        yield error(PART, "cannot be read as an address: write what is no letter or digit in the password as %XX")
        return
    prepare(engine)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield _version(int(_ask(connection, "SHOW server_version_num")))
            yield _writable(connection)
            yield _encoding(_ask(connection, "SHOW server_encoding"))
            limits = connection.execute(text(LIMITS)).one()
            yield _connections(config.workers, min(limit for limit in limits if limit is not None))
            yield _clock(connection)
            found = revision.look(connection)
            yield found
            if found.level is not Level.ERROR and config.secret_key:
                yield hosts.look(connection, config)
    except SQLAlchemyError as cause:
        said = first_line(getattr(cause, "orig", None) or cause)
        yield error(PART, f"PostgreSQL cannot be used: {said}: start it, or correct the address")
    finally:
        engine.dispose()


def _ask(connection: Connection, question: str) -> Any:
    return connection.execute(text(question)).scalar_one()


def _version(number: int) -> Finding:
    version = f"PostgreSQL {number // 10_000}.{number % 10_000}"
    if number // 10_000 < VERSION_MIN:
        return error(PART, f"{version} is older than {VERSION_MIN}: upgrade it")
    if number // 10_000 < VERSION_TESTED:
        return warning(PART, f"{version}: the service is tested on {VERSION_TESTED}; upgrade it")
    return ok(PART, f"{version} answers")


def _writable(connection: Connection) -> Finding:
    if _ask(connection, "SELECT pg_is_in_recovery()"):
        return error(PART, "a replica, which cannot be written: give the address of the primary")
    if _ask(connection, "SHOW transaction_read_only") == "on":
        return error(PART, "set to read only: see default_transaction_read_only of server, database and role")
    if not _ask(connection, "SELECT has_schema_privilege(current_schema(), 'CREATE')"):
        # Since version 15 not everyone may by default. With the newest schema the service works without it.
        return warning(PART, "no tables may be made, so no upgrade works: GRANT CREATE ON SCHEMA to the service's role")
    return ok(PART, "may be written")


def _encoding(encoding: str) -> Finding:
    if encoding == "UTF8":
        return ok(PART, "encoding UTF8")
    return error(PART, f"encoding {encoding} cannot hold every message: make the database with ENCODING 'UTF8'")


def _connections(workers: int, allowed: int) -> Finding:
    wanted = workers * POSTGRES_CONNECTIONS
    numbers = f"{wanted} connections ({workers} × {POSTGRES_CONNECTIONS}), {allowed} allowed"
    if wanted > allowed:
        return error(PART, f"{numbers}: raise max_connections, or the limit of role or database, or use fewer workers")
    if 2 * wanted > allowed:
        return warning(PART, f"{numbers}: a reload may take twice as many for a moment; raise max_connections")
    return ok(PART, numbers)


def _clock(connection: Connection) -> Finding:
    before_s = time.time()
    there_s = float(_ask(connection, "SELECT extract(epoch FROM clock_timestamp())"))
    return clock.judge(PART, there_s - (before_s + time.time()) / 2)
