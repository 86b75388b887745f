"""`Database`: sessions that are short, bounded in time, and never hold up the streams."""

import logging
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import AbstractContextManager
from contextlib import contextmanager
from contextlib import nullcontext
from contextlib import suppress
from pathlib import Path
from typing import Any
from typing import TypeVar

import gevent
from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy import ExceptionContext
from sqlalchemy import Pool
from sqlalchemy import PoolProxiedConnection
from sqlalchemy import event
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.exc import InterfaceError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from chatapp.errors import Unavailable
from chatapp.runtime import Threads
from chatapp.runtime import later
from chatapp.runtime import native_lock
from chatapp.storage import psycopg_ties
from chatapp.storage import sqlalchemy_ties
from chatapp.storage.postgres_hosts import PostgresHosts
from chatapp.storage.postgres_settings import PostgresSettings
from chatapp.storage.postgres_settings import each_transaction
from chatapp.storage.statements import Rows
from chatapp.storage.write_ahead_log import KEPT
from chatapp.storage.write_ahead_log import WriteAheadLog

log = logging.getLogger(__name__)

T = TypeVar("T")

# A send is answered within 10 s: it reads, may wait for a copy of itself, and is written.
STATEMENT_TIMEOUT_S = 3
WORK_TIMEOUT_S = 3.5
# After WORK_TIMEOUT_S psycopg waits once more, for the end of a pipeline that a silent server never sends.
LAST_S = 0.5
CONNECT_TIMEOUT_S = 3
RETRY_AFTER_S = 2.0
# Threads that read SQLite at once in one worker. More would not be faster.
READERS = 4
POSTGRES_CONNECTIONS = 10
# Behind an address may stand one and later another, which started at another time.
WHICH_SERVER = "SELECT concat_ws(' ', pg_postmaster_start_time(), inet_server_addr(), inet_server_port())"
# Whoever writes all the time keeps a connection for this long without a question whether it is still alive.
KEPT_S = 1.0


def engine_options(url: str) -> dict[str, Any]:
    """What Flask-SQLAlchemy hands to create_engine for this database."""
    if make_url(url).get_backend_name() == "sqlite":
        return {
            "connect_args": {"timeout": STATEMENT_TIMEOUT_S, "check_same_thread": False},
            "hide_parameters": True,
            # Like psycopg: `Rows` gives its parameters by name.
            "paramstyle": "named",
        }
    return {
        # Bodies of messages have no place in the log.
        "hide_parameters": True,
        "pool_size": POSTGRES_CONNECTIONS,
        "max_overflow": 0,
        "pool_timeout": STATEMENT_TIMEOUT_S,
        "pool_pre_ping": True,
        "connect_args": {
            "connect_timeout": CONNECT_TIMEOUT_S,
            "tcp_user_timeout": STATEMENT_TIMEOUT_S * 1000,
        },
    }


def prepare(engine: Engine) -> None:
    """Set up every connection of the engine. SQLite: WAL, full durability, our own BEGIN and checkpoints."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        PostgresHosts(CONNECT_TIMEOUT_S).prepare(engine)
        PostgresSettings(STATEMENT_TIMEOUT_S * 1000).prepare(engine)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        # Before 3.51.3 two connections that write and checkpoint at once can corrupt the log:
        # `WriteAheadLog` checkpoints by itself, one process at a time.
        "wal_autocheckpoint=0",
        # When the log is started anew, the file is cut off behind that.
        f"journal_size_limit={KEPT}",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    # A read that turns into a write fails at once, whatever the timeout: writers say so at the start.
    writes = connection.get_execution_options().get("writes", False)
    driver: Any = connection.connection.driver_connection
    driver.execute("BEGIN IMMEDIATE" if writes else "BEGIN").close()


class Database:
    """Runs work in a session of its own. Whatever keeps the database away is `Unavailable`.

    SQLite has no cooperative driver, so its work runs in native threads: one for writing, since it has
    one writer anyway, and a few for reading. psycopg cooperates under gevent and runs in place.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.dialect = engine.dialect.name
        # Why nothing is to be written, if so.
        self.refuses: str | None = None
        self._in_threads = self.dialect == "sqlite"
        if not self._in_threads:
            psycopg_ties.wait_in_the_loop()
            event.listen(engine, "connect", self._connected)
            event.listen(engine, "handle_error", self._failed)
        # When it was left, because it is not the one to be written.
        self._left_s = -RETRY_AFTER_S
        # When it was asked where the address leads.
        self._followed_s = -RETRY_AFTER_S
        # Called when there is another connection to a server.
        self.on_connected: list[Callable[[], None]] = []
        self._driver_error = sqlalchemy_ties.driver_error(engine.dialect)
        self._writing = engine.execution_options(writes=True)
        # Those that wrote rows last, and when: the pool takes longer than the statements.
        self._kept: list[tuple[PoolProxiedConnection, float]] = []
        # Everything that one read sees is of one moment, as it always is on SQLite: a row that gets its cursor
        # meanwhile is seen either without it or with it, and never missed between two statements.
        self._reading = engine if self._in_threads else engine.execution_options(isolation_level="REPEATABLE READ")
        self._writer = Threads(1) if self._in_threads else None
        self._readers = Threads(READERS) if self._in_threads else None
        # SQLAlchemy's own locks are gevent's, and a native thread that waits for one of those may never be woken.
        self._at_the_pool: AbstractContextManager[Any] = native_lock() if self._in_threads else nullcontext()
        self._log = WriteAheadLog(Path(engine.url.database)) if self._in_threads and engine.url.database else None

    def read(self, work: Callable[[Session], T]) -> T:
        """Run `work` in a transaction that is rolled back. Raises Unavailable."""
        return self._bounded(self._readers, lambda: self._read(work))

    def write(self, work: Callable[[Session], T]) -> T:
        """Run `work` in one transaction and commit it. Raises Unavailable: then the outcome is open."""
        self._may_write()
        return self.write_always(work)

    def write_always(self, work: Callable[[Session], T]) -> T:
        """The same, also while this process refuses to write."""
        return self._bounded(self._writer, lambda: self._write(work))

    def write_rows(self, work: Callable[[Rows], T], *, durable: bool = True) -> T:
        """Like `write`, with prepared statements: at a tenth of the cost, for what needs no mapped classes.

        What is not `durable` is seen by all at once like anything else, but does not wait for the disk: a power
        failure may lose it, or on PostgreSQL a crash of the server.
        """
        self._may_write()
        return self._bounded(self._writer, lambda: self._write_rows(work, durable))

    def write_or_again(self, work: Callable[[Session], T]) -> T:
        """Like `write`, once more when another transaction inserted the same row in between."""
        try:
            return self.write(work)
        except IntegrityError:
            return self.write(work)

    def ping(self) -> None:
        """Raises Unavailable unless the database answers, and may be written."""
        self._may_write()
        self.read(lambda session: session.execute(text("SELECT 1")))

    def leave_server(self) -> None:
        """It is not the one to be written any more: whoever connects anew may find its follower. Where there is none,
        others go on reading here; so this is done every RETRY_AFTER_S at most."""
        now_s = time.monotonic()
        if not self._in_threads and now_s - self._left_s >= RETRY_AFTER_S:
            self._left_s = now_s
            self._release_kept()
            left = self.engine.pool
            self.engine.dispose()
            # Those that are at work just now come back to it, and nobody asks it for them.
            later(WORK_TIMEOUT_S + LAST_S, left.dispose)

    def follow_address(self) -> None:
        """Leave the server if the address leads to another one by now. That is asked every RETRY_AFTER_S at most, by a
        connection of its own: the others are good for reading. Raises Unavailable."""
        now_s = time.monotonic()
        if self._in_threads or now_s - self._followed_s < RETRY_AFTER_S:
            return
        self._followed_s = now_s
        anew = self.engine.pool.recreate()
        try:
            if self._which_server(anew) != self._which_server(self.engine.pool):
                self.leave_server()
        finally:
            anew.dispose()

    def _which_server(self, pool: Pool) -> Any:
        def ask() -> Any:
            try:
                connection = pool.connect()
                try:
                    driver: Any = connection.driver_connection
                    return driver.execute(WHICH_SERVER).fetchone()[0]
                finally:
                    connection.close()
            except self._driver_error as error:
                raise sqlalchemy_ties.wrapped(error, self.engine.dialect, None, lost=True) from error

        return self._bounded(None, ask)

    def _connected(self, _driver: Any, _record: Any) -> None:
        for tell in self.on_connected:
            tell()

    def _may_write(self) -> None:
        if self.refuses is not None:
            raise Unavailable(self.refuses, retry_after_s=RETRY_AFTER_S)

    def _failed(self, context: ExceptionContext) -> None:
        if psycopg_ties.read_only(context.original_exception):
            context.is_disconnect = True
            context.invalidate_pool_on_disconnect = False
            self.leave_server()

    def close(self) -> None:
        for pool in (self._writer, self._readers):
            if pool is not None:
                pool.close()
        self._release_kept()
        self.engine.dispose()
        if self._log is not None:
            self._log.close()

    def _read(self, work: Callable[[Session], T]) -> T:
        if self._log is not None:
            self._log.await_turn()
        with self._connection(self._reading) as connection, _session(connection) as session:
            try:
                return work(session)
            except self._driver_error as error:
                # By `rows_within`, of which SQLAlchemy knows nothing.
                wrapped = sqlalchemy_ties.wrapped(error, self.engine.dialect, None)
                self._invalidate(session)
                raise wrapped from error
            except gevent.Timeout:
                # The answer is still to come on this connection.
                self._invalidate(session)
                raise

    def _write(self, work: Callable[[Session], T]) -> T:
        with self._connection(self._writing) as connection, _session(connection) as session, session.begin():
            result = work(session)
        if self._log is not None:
            self._log.committed()
        return result

    def _write_rows(self, work: Callable[[Rows], T], durable: bool) -> T:
        connection: PoolProxiedConnection | None = None
        driver: Any = None
        left_s = self._left_s
        try:
            connection = self._connection_for_rows()
            driver = connection.driver_connection
            rows = Rows(driver, self.engine.dialect)
            rows.begin(durable=durable, settings=each_transaction(connection.info))
            result = work(rows)
            rows.commit()
        except BaseException as error:
            raised: BaseException = error
            if isinstance(error, self._driver_error):
                # Before the connection is dropped: after that, every error looks like a lost one.
                raised = sqlalchemy_ties.wrapped(error, self.engine.dialect, driver, lost=psycopg_ties.read_only(error))
            if connection is not None:
                self._drop(connection, driver)
            # Where one was lost, the others may be.
            self._release_kept()
            if psycopg_ties.read_only(error):
                self.leave_server()
            if raised is error:
                raise
            raise raised from error
        if left_s == self._left_s:
            self._kept.append((connection, time.monotonic()))
        else:
            # The server was left meanwhile: whoever kept on using it would write there.
            self._release(connection)
        if self._log is not None:
            self._log.committed()
        return result

    def _connection_for_rows(self) -> PoolProxiedConnection:
        if self._kept:
            connection, used_s = self._kept.pop()
            if self._in_threads or time.monotonic() - used_s < KEPT_S:
                return connection
            # The pool asks each whether it is still alive.
            self._release(connection)
            self._release_kept()
        return self._raw_connection()

    def _release_kept(self) -> None:
        while self._kept:
            self._release(self._kept.pop()[0])

    def _release(self, connection: PoolProxiedConnection) -> None:
        if not self._in_threads:
            psycopg_ties.give_back(connection.driver_connection)
        connection.close()

    def _drop(self, connection: PoolProxiedConnection, driver: Any) -> None:
        if self._in_threads:
            # A connection that is closed while the error's traceback holds its cursor keeps its locks.
            with suppress(self._driver_error):
                driver.rollback()
        # Not back to the pool: nobody else may inherit what it was set to.
        with self._at_the_pool:
            connection.invalidate()

    @contextmanager
    def _connection(self, engine: Engine) -> Iterator[Connection]:
        with self._at_the_pool:
            connection = engine.connect()
        try:
            yield connection
        finally:
            with self._at_the_pool:
                connection.close()

    def _raw_connection(self) -> PoolProxiedConnection:
        with self._at_the_pool:
            return self.engine.raw_connection()

    def _invalidate(self, session: Session) -> None:
        with self._at_the_pool:
            session.invalidate()

    def _bounded(self, pool: Threads | None, work: Callable[[], T]) -> T:
        # The time-out is not an Exception, so it passes through SQLAlchemy, which then drops the connection.
        timeout = gevent.Timeout(WORK_TIMEOUT_S)
        last = None if self._in_threads else gevent.Timeout.start_new(WORK_TIMEOUT_S + LAST_S)
        try:
            with timeout:
                return work() if pool is None else pool.run(work)
        except gevent.Timeout as expired:
            if expired is not timeout and expired is not last:
                raise
            raise self._unavailable(TimeoutError(f"no answer within {WORK_TIMEOUT_S} s")) from None
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            raise self._unavailable(error) from error
        except SQLAlchemyError as error:
            lost = isinstance(error, DBAPIError) and error.connection_invalidated
            if lost or _follows_timeout(error):
                raise self._unavailable(error) from error
            raise
        finally:
            if last is not None:
                last.close()

    def _unavailable(self, error: Exception) -> Unavailable:
        cause = str(getattr(error, "orig", None) or error).splitlines() or [type(error).__name__]
        log.warning("database unavailable: %s", cause[0])
        return Unavailable("the database cannot be used now", retry_after_s=RETRY_AFTER_S)


def _session(connection: Connection) -> Session:
    return Session(connection, expire_on_commit=False, autoflush=False)


def _follows_timeout(error: BaseException) -> bool:
    """Whether the error came up while a time-out was dealt with: a driver in the middle of a ping hides it."""
    context = error.__context__
    return context is not None and (isinstance(context, gevent.Timeout) or _follows_timeout(context))


def insert_into(transaction: Session, model: Any) -> Any:
    """An INSERT that knows ON CONFLICT, in the words of the transaction's database."""
    return (sqlite_insert if transaction.get_bind().dialect.name == "sqlite" else postgresql_insert)(model)
