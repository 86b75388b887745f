"""`UpgradeLock`: only one process at a time changes the schema of a database on PostgreSQL."""

import logging
import threading
import time
from types import TracebackType

from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from chatapp.config import ConfigError

log = logging.getLogger(__name__)

# Any number that nothing else in the database uses.
KEY = 4_242_001
# Of millions of rows an upgrade takes minutes.
WAIT_S = 3600.0
LOOK_INTERVAL_S = 0.5
TELL_INTERVAL_S = 30.0
# Poolers, firewalls and proxies cut off whoever says nothing for a minute, or less.
AWAKE_INTERVAL_S = 10.0

# None has parameters: with them, what a statement saw would stay open in the transaction until the next one, and every
# index that is made CONCURRENTLY would wait for that.
TAKE = text(f"SELECT pg_try_advisory_xact_lock({KEY})")
STAY_AWAKE = text("SELECT 1")
HOLDER = text(f"""
SELECT coalesce(host(client_addr), 'no address told'), pid FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND objid = {KEY} AND datname = current_database()
""")


class UpgradeLock:
    """The lock is a transaction's: that of a session would be lost behind a pooler, where each transaction may have
    another. Who waits for it asks again and again, between transactions: indexes that are made CONCURRENTLY wait for
    everybody who is in one, and with `pg_advisory_lock` each would wait for the other.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._over = threading.Event()
        self._connection: Connection | None = None
        self._kept_awake = threading.Thread(target=self._keep_awake, name="upgrade lock", daemon=True)

    def __enter__(self) -> None:
        """Raises ConfigError if another has it for WAIT_S."""
        self._connection = self._engine.connect()
        try:
            self._take(self._connection)
        except BaseException:
            self._connection.close()
            raise
        self._kept_awake.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._kept_awake.join()
        assert self._connection is not None
        self._connection.close()

    def _take(self, connection: Connection) -> None:
        began_s = time.monotonic()
        told_s = float("-inf")
        while not connection.scalar(TAKE):
            now_s = time.monotonic()
            if now_s - began_s > WAIT_S:
                raise ConfigError(f"DATABASE_URL: another upgrade has not ended for {WAIT_S:.0f} s")
            if now_s - told_s > TELL_INTERVAL_S:
                told_s = now_s
                holder = connection.execute(HOLDER).first()
                log.warning("waiting for the upgrade of another: %s, server process %s", *(holder or ("?", "?")))
            connection.rollback()
            time.sleep(LOOK_INTERVAL_S)

    def _keep_awake(self) -> None:
        assert self._connection is not None
        began_s = told_s = time.monotonic()
        try:
            while not self._over.wait(AWAKE_INTERVAL_S):
                self._connection.execute(STAY_AWAKE)
                now_s = time.monotonic()
                if now_s - told_s > TELL_INTERVAL_S:
                    told_s = now_s
                    log.warning("the upgrade of the schema is still at work, after %.0f s", now_s - began_s)
        except SQLAlchemyError as error:
            # Two upgrades at once fail, and one of them can be done again; nothing is lost by it.
            log.warning("the lock of the upgrade is lost: %s", str(getattr(error, "orig", error)).splitlines()[0])
