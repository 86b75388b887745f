"""`close`: what lies in the data folder is for the service's user alone: all messages, and the secret of sessions."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from stat import S_ISVTX

from chatapp.config import Config

# What this process and its children make from now on, SQLite's files among it.
UMASK = 0o077
FOLDER_MODE, FILE_MODE = 0o700, 0o600
FILES = ("secret_key", "redis.lock")
SQLITE_ENDS = ("", "-wal", "-shm", ".lock", ".checkpoint-lock")


def close(config: Config) -> None:
    """Close to others what is there already, whoever made it and with whatever umask; and what is made from now on."""
    os.umask(UMASK)
    for path in open_to_others(config):
        # Somebody else's cannot be closed by us: `chatapp check` says so.
        with suppress(OSError):
            path.chmod(FOLDER_MODE if path.is_dir() else FILE_MODE)


def open_to_others(config: Config) -> list[Path]:
    """The data folder and the service's files, as far as others on this machine may do anything with them."""
    return [path for path in _paths(config) if path.stat().st_mode & UMASK]


def _paths(config: Config) -> Iterator[Path]:
    """Nothing but the service's own: the folder may hold more. Nobody gets at a socket through a closed folder."""
    # A folder such as /tmp belongs to everybody.
    if config.data.is_dir() and not config.data.stat().st_mode & S_ISVTX:
        yield config.data
    files = [config.data / name for name in FILES]
    if config.sqlite_path is not None:
        files += [Path(f"{config.sqlite_path}{end}") for end in SQLITE_ENDS]
    yield from (path for path in files if path.is_file() and not path.is_symlink())
