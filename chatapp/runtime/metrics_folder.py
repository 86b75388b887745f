"""`MetricsFolder`: where the workers of one master count, each in files of its own, mapped into its memory."""

import fcntl
import os
import shutil
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir
from tempfile import mkdtemp

# In memory, where there is such a place: a write into a mapped file ends the process when the disk is full.
SHARED_MEMORY = Path("/dev/shm")
PREFIX = "chatapp-metrics-"
LOCK = "lock"
# What dead workers have counted is added up within a few milliseconds.
LOCK_WAIT_S = 0.5
LOCK_POLL_S = 0.005


class MetricsFolder:
    """Made by the master before anything counts, and taken away by it; those of masters that were killed, by the next.

    Each holds the lock in its folder for as long as it lives, and so do its workers, who inherit it.
    """

    def __init__(self) -> None:
        parent = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else Path(gettempdir())
        _remove_leftovers(parent)
        self.path = Path(mkdtemp(prefix=PREFIX, dir=parent))
        self._alive = os.open(self.path / "alive", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._alive, fcntl.LOCK_EX)

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


def _remove_leftovers(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        # Somebody else's, or one that another master takes away just now.
        with suppress(OSError), (folder / "alive").open("r+") as alive:
            fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def locked(folder: Path, how: int, sleep: Callable[[float], object]) -> Iterator[None]:
    """Held while files are added up: shared (LOCK_SH) by who reads them, alone (LOCK_EX) by who adds them up.

    Whoever does not get it within LOCK_WAIT_S goes on without: a count may then be seen twice, once.
    """
    fd = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    deadline_s = time.monotonic() + LOCK_WAIT_S
    try:
        while not _had(fd, how) and time.monotonic() < deadline_s:
            sleep(LOCK_POLL_S)
        yield
    finally:
        os.close(fd)


def _had(fd: int, how: int) -> bool:
    try:
        fcntl.flock(fd, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
