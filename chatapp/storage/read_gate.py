"""`ReadGate`: holds back the reads of all workers on one SQLite database, for a bounded moment."""

import fcntl
import mmap
import struct
import time
from pathlib import Path
from typing import Final

from chatapp.runtime import gevent_ties

# Until when reads wait, and from when on they may be made to wait again: by the clock that all processes share.
_TIMES: Final = struct.Struct("=dd")
POLL_S = 0.002
# A second less than a read may take with all its waiting. What says more is of another start of the machine.
LONGEST_S = 2.5

# The real one: those who wait are native threads.
native_sleep = gevent_ties.original("time", "sleep")


class ReadGate:
    """A file that every worker has mapped. It opens by itself, whoever shut it and died.

    The same file is the lock of whoever copies the log: two must not at once.
    """

    def __init__(self, path: Path) -> None:
        self._file = open(path, "a+b")  # noqa: SIM115
        self._file.truncate(_TIMES.size)
        self._shared = mmap.mmap(self._file.fileno(), _TIMES.size)

    @property
    def shut(self) -> bool:
        return self._left_s(0) > 0

    @property
    def may_shut(self) -> bool:
        return self._left_s(1) <= 0

    def wait(self) -> None:
        """In a native thread, before a read begins."""
        while (left_s := self._left_s(0)) > 0:
            native_sleep(min(left_s, POLL_S))

    def shut_for(self, seconds: float, *, then_open_s: float) -> None:
        """Unless it is opened before. It may not be shut again until it was open for a while."""
        now_s = time.monotonic()
        _TIMES.pack_into(self._shared, 0, now_s + seconds, now_s + seconds + then_open_s)

    def open(self) -> None:
        _TIMES.pack_into(self._shared, 0, 0.0, 0.0)

    def lock(self) -> bool:
        """Become the one who copies the log. False: another process is."""
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def unlock(self) -> None:
        fcntl.lockf(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        self._shared.close()
        self._file.close()

    def _left_s(self, index: int) -> float:
        left_s: float = _TIMES.unpack_from(self._shared)[index] - time.monotonic()
        return left_s if left_s <= 2 * LONGEST_S else 0.0
