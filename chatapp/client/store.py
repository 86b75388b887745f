"""`Store`: the one SQLite file of a client, or its memory."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatapp.client.errors import Closed
from chatapp.client.errors import OutboxInUse
from chatapp.client.errors import OutboxOfAnother

# A killed process lets go of its file within this; a living one never does.
LOCK_WITHIN_S = 2.0
VERSION = 1

_TABLES = """
CREATE TABLE items (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  local_id TEXT NOT NULL UNIQUE,
  room TEXT NOT NULL,
  document TEXT NOT NULL,
  state TEXT NOT NULL,
  outcome TEXT
);
CREATE INDEX items_sending ON items (room, number) WHERE state = 'sending';
CREATE TABLE session (one INTEGER PRIMARY KEY CHECK (one = 1), user_id TEXT NOT NULL, user_name TEXT NOT NULL,
  guest TEXT, token TEXT);
CREATE TABLE cursors (name TEXT PRIMARY KEY, cursor TEXT NOT NULL);
"""


class Store:
    """One connection, used by one thread at a time. Raises OutboxInUse, OutboxOfAnother, OSError.

    The file is held for as long as the client lives: two processes that sent the same messages could not keep their
    order. The lock is SQLite's own, so it ends with the process, also with kill -9.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._is_closed = False
        if path is not None:
            # It holds a token: closed to others from its first byte on.
            path.touch(mode=0o600, exist_ok=True)
        try:
            self._connection = sqlite3.connect(
                path or ":memory:", timeout=LOCK_WITHIN_S, isolation_level=None, check_same_thread=False
            )
            self._prepare()
        except (sqlite3.DatabaseError, OSError) as error:
            # The lowest byte is the kind, the others say more exactly what.
            if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
                raise OSError(f"{path}: {error}") from None
            raise OutboxInUse(f"{path} is in use: one client at a time sends from it") from None

    def _prepare(self) -> None:
        try:
            self._take()
        except BaseException:
            self._connection.close()
            raise

    def _take(self) -> None:
        # Set before the first look at the file: the first transaction takes it, and keeps it.
        self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        with self.transaction() as connection:
            [version] = connection.execute("PRAGMA user_version").fetchone()
            if version == 0:
                for statement in _TABLES.split(";")[:-1]:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {VERSION}")
            elif version != VERSION:
                raise OutboxOfAnother(f"{self.path} is of another version: {version}, and not {VERSION}")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Durable when it is left: a power cut included. Raises OSError for a full disk."""
        with self.reading():
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self._connection.execute("COMMIT")
            except sqlite3.OperationalError as error:
                self._roll_back()
                raise OSError(f"{self.path}: {error}") from None
            except BaseException:
                self._roll_back()
                raise

    def _roll_back(self) -> None:
        # A full disk ends the transaction by itself.
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    @contextmanager
    def light_transaction(self) -> Iterator[sqlite3.Connection]:
        """Survives a kill -9, and is in its order after a power cut, but may be lost by that: no wait for the disk."""
        with self.reading():
            self._connection.execute("PRAGMA synchronous = NORMAL")
            try:
                with self.transaction() as connection:
                    yield connection
            finally:
                self._connection.execute("PRAGMA synchronous = FULL")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Raises Closed; OSError for a disk that fails."""
        with self._lock:
            if self._is_closed:
                raise Closed
            try:
                yield self._connection
            except sqlite3.OperationalError as error:
                raise OSError(f"{self.path}: {error}") from None

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            self._connection.close()
