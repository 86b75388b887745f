"""`WriteAheadLog`: keeps SQLite's log beside the database small, however much is read and written.

Copying it into the database does not make it smaller: a writer starts it anew only in a moment in which all of it is
copied and nobody reads by it. Reads are short, but under load there is always one. So new reads wait for a moment until
those under way have ended. Sends go on meanwhile: in the one writing thread, in which all of this runs.
"""

import logging
import sqlite3
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from chatapp.runtime import native_lock
from chatapp.storage.read_gate import LONGEST_S
from chatapp.storage.read_gate import ReadGate
from chatapp.storage.read_gate import native_sleep

log = logging.getLogger(__name__)

MIB = 1024 * 1024
# So much is copied at once: some milliseconds, in which sends wait.
PIECE = 1 * MIB
# While the log is small it grows within a file of this size, unseen: this many commits are then a piece or two.
KEPT = 4 * MIB
PIECE_COMMITS = 250
# Whoever writes in another process is done within this time.
BUSY_MS = 10
TRY_AGAIN_S = 0.01
# From here on sends wait too, once in a while: what cannot be reached by that is read from outside.
FULL = 48 * MIB
FULL_S = 1.0
FULL_AGAIN_S = 5.0


@dataclass(frozen=True)
class _Step:
    """From which size on reads are held back, for how long, and for how long not again if that was in vain."""

    size: int
    shut_s: float
    open_s: float


STEPS = (
    _Step(40 * MIB, LONGEST_S, 0.1),
    _Step(32 * MIB, 1.0, 0.1),
    _Step(16 * MIB, 0.2, 0.2),
    _Step(8 * MIB, 0.03, 0.2),
)


class WriteAheadLog:
    """Each worker has one. Everything but `await_turn` is for its writing thread."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._file = Path(f"{database}-wal")
        self._gate: ReadGate | None = None
        self._opening = native_lock()
        self._connection: sqlite3.Connection | None = None
        self._commits = 0
        self._copied_at = 0
        self._tried_s = 0.0
        self._full_s = float("-inf")

    def open(self) -> None:
        """Raises OSError when the folder cannot be written."""
        with self._opening:
            if self._gate is None:
                self._gate = ReadGate(Path(f"{self._database}.checkpoint-lock"))

    def await_turn(self) -> None:
        """Before a read begins, in its thread."""
        if self._gate is None:
            # Other workers may write, and this one never. Where the gate cannot be made, no log is either.
            with suppress(OSError):
                self.open()
        if self._gate is not None:
            self._gate.wait()

    def committed(self) -> None:
        """After each commit. It stands, whatever happens here."""
        self._commits += 1
        try:
            size = self._file.stat().st_size
            # It was cut off, by another worker perhaps.
            self._copied_at = min(self._copied_at, size)
            if size >= self._copied_at + PIECE or self._commits >= PIECE_COMMITS:
                self._copy(size)
            elif self._gate is not None and self._gate.shut and time.monotonic() >= self._tried_s + TRY_AGAIN_S:
                self._start_anew()
            if size >= FULL:
                self._start_anew_now()
        except (OSError, sqlite3.Error) as error:
            # The next commit tries again.
            log.warning("checkpoint failed: %s", error)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._gate is not None:
            self._gate.close()

    def _copy(self, size: int) -> None:
        if self._checkpoint("PASSIVE") is None:
            return
        self._commits = 0
        self._copied_at = size
        assert self._gate is not None
        step = next((step for step in STEPS if size >= step.size), None)
        if step is not None and self._gate.may_shut:
            self._gate.shut_for(step.shut_s, then_open_s=step.open_s)
        if self._gate.shut:
            self._start_anew()

    def _start_anew(self) -> bool:
        """If nobody reads by the log just now, the next commit writes to its beginning, and cuts it off behind."""
        self._tried_s = time.monotonic()
        if self._checkpoint("RESTART") != 0:
            return False
        assert self._gate is not None
        self._gate.open()
        return True

    def _start_anew_now(self) -> None:
        """Let sends wait until the last read has ended. Sends of other workers will soon wait here too."""
        if self._gate is None or time.monotonic() < self._full_s + FULL_AGAIN_S:
            return
        self._gate.shut_for(FULL_S, then_open_s=0.0)
        while not self._start_anew():
            if not self._gate.shut:
                self._full_s = time.monotonic()
                return
            native_sleep(TRY_AGAIN_S)

    def _checkpoint(self, how: str) -> int | None:
        """0: done as told. 1: as far as readers and writers allow. None: another process is at it."""
        self.open()
        assert self._gate is not None
        if not self._gate.lock():
            return None
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(
                    self._database, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False
                )
            busy: int = self._connection.execute(f"PRAGMA wal_checkpoint({how})").fetchone()[0]
            return busy
        finally:
            self._gate.unlock()
