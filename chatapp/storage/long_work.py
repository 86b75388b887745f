"""`long_work_engine`: connections to PostgreSQL for an upgrade, apart from those that serve."""

from typing import Any

from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy import NullPool
from sqlalchemy import create_engine
from sqlalchemy import event
from sqlalchemy.engine import URL

from chatapp.storage.postgres_hosts import PostgresHosts
from chatapp.storage.postgres_settings import pooled

CONNECT_TIMEOUT_S = 10
# A change of a table waits for everybody who reads it, and everybody who comes later waits for the change: it gives up
# soon, and is tried again.
LOCK_TIMEOUT_MS = 3000
# Also where the server, the database or the role has bounds of its own. transaction_timeout is there from 17 on.
UNBOUNDED = """
SELECT set_config(name, '0', {local}) FROM pg_settings
WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')
"""
# Whoever has a lock and says nothing for this long is gone: the upgrade says something every ten seconds.
SILENT_MAX_S = 60
EACH = f"""
{UNBOUNDED.format(local="true")};
SELECT set_config('lock_timeout', '{LOCK_TIMEOUT_MS}', true), set_config('timezone', 'UTC', true),
       set_config('idle_in_transaction_session_timeout', '{SILENT_MAX_S}s', true)
"""
# A server that is gone is noticed within a minute, however long its answer may take.
ALIVE = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": SILENT_MAX_S * 1000,
}


def long_work_engine(url: URL) -> Engine:
    """No statement has a bound, and no transaction that waits; only for a lock on a table none waits long.

    Outside of transactions, where indexes are made CONCURRENTLY, waiting for locks has no bound either: nobody waits
    for those who make them.
    """
    engine = create_engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,
        # With any other, what the first statement of a transaction saw would stay open, and indexes wait for that.
        isolation_level="READ COMMITTED",
        connect_args={"connect_timeout": CONNECT_TIMEOUT_S, "prepare_threshold": None, **ALIVE},
    )
    PostgresHosts(CONNECT_TIMEOUT_S).prepare(engine)
    event.listen(engine, "connect", _connected)
    event.listen(engine, "begin", _begun)
    return engine


def _connected(driver: Any, _record: Any) -> None:
    # What is set on a pooler's connection would stay for whoever comes next; there each transaction brings its own.
    if not pooled(driver):
        driver.execute(UNBOUNDED.format(local="false"))
    driver.commit()


def _begun(connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    driver.execute(EACH)
