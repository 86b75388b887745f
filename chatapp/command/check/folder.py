"""The data folder: whether the service can write there, and whether one runs on it."""

import os
from collections.abc import Iterator
from pathlib import Path

from chatapp.command.check.finding import Finding
from chatapp.command.check.finding import error
from chatapp.command.check.finding import ok
from chatapp.command.check.finding import warning
from chatapp.config import Config
from chatapp.server import data_lock
from chatapp.server import private_files


def look(config: Config) -> Iterator[Finding]:
    data = config.data
    if not data.exists():
        yield _to_be_made("CHATAPP_DATA", data)
        return
    if not data.is_dir() or not writable(data):
        yield error("CHATAPP_DATA", f"{data} is no folder that may be written: make it one for the service's user")
        return
    yield ok("CHATAPP_DATA", f"{data} may be written")
    yield from _closed(config)
    owner = data.stat().st_uid
    if os.geteuid() == 0 and owner != 0:
        yield warning(
            "CHATAPP_DATA", f"{data} belongs to uid {owner}, and root may do what it may not: check as uid {owner}"
        )
    locks = [data / "redis.lock"] if config.embedded_redis else []
    if config.sqlite_path is not None:
        locks.append(Path(f"{config.sqlite_path}.lock"))
    if any(data_lock.held(lock) for lock in locks):
        yield ok("CHATAPP_DATA", "a service runs on it")


def _closed(config: Config) -> Iterator[Finding]:
    shown = private_files.open_to_others(config)
    if not shown:
        yield ok("CHATAPP_DATA", "closed to others on this machine")
    for path in shown:
        mode = private_files.FOLDER_MODE if path.is_dir() else private_files.FILE_MODE
        yield warning("CHATAPP_DATA", f"{path} is open to others on this machine: chmod {mode:o} it")


def writable(path: Path) -> bool:
    """Asks the system, without trying it. A folder is writable when files can be made in it."""
    return os.access(path, os.W_OK | (os.X_OK if path.is_dir() else 0))


def _to_be_made(part: str, folder: Path) -> Finding:
    parent = next(one for one in folder.parents if one.exists())
    if parent.is_dir() and writable(parent):
        return ok(part, f"{folder} is not there yet: the first start makes it")
    return error(part, f"{folder} is not there and cannot be made: make it, writable for the service's user")
