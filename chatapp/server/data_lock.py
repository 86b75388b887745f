"""`hold`: one service for one file. The kernel drops the lock with the process that holds it, however it ends."""

import errno
import fcntl
import time
from pathlib import Path
from typing import IO

from chatapp.config import ConfigError

# A predecessor that is just ending takes up to this long.
WAIT_S = 5.0
POLL_S = 0.05


def hold(path: Path, setting: str) -> IO[str]:
    """Lock a file for as long as the returned object lives. Raises ConfigError, which names the setting."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = path.open("w")
    except OSError as error:
        raise ConfigError(f"{setting}: cannot use {path.parent}: {error.strerror}") from None
    deadline_s = time.monotonic() + WAIT_S
    while True:
        try:
            # Unlike flock, this is not inherited by the workers.
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except OSError:
            if time.monotonic() > deadline_s:
                lock.close()
                raise ConfigError(f"{setting}: another service uses {path.parent}") from None
            time.sleep(POLL_S)


def held(path: Path) -> bool:
    """Whether a service holds the file. Asking shuts nobody out: `hold` waits longer than this takes."""
    if not path.exists():
        return False
    with path.open() as lock:
        try:
            fcntl.lockf(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES):
                return True
            raise
    return False
