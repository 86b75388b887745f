"""The SQLite database: its library, its file and its disk. Nothing is made beside it, not even by SQLite."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from chatapp.command.check import revision
from chatapp.command.check.finding import Finding
from chatapp.command.check.finding import error
from chatapp.command.check.finding import first_line
from chatapp.command.check.finding import ok
from chatapp.command.check.finding import warning
from chatapp.command.check.folder import writable
from chatapp.config import Config

PART = "DATABASE_URL"
# The first one in which two connections can write and checkpoint at once.
SOUND = (3, 51, 3)
MIB = 1024 * 1024
# The first leaves time to act; the second is what the log and its checkpoint need to go on at all.
DISK_WARNING_BYTES = 1024 * MIB
DISK_ERROR_BYTES = 50 * MIB
# A writer holds the file for milliseconds.
BUSY_TIMEOUT_S = 2.0
# https://www.sqlite.org/fileformat.html: what a file begins with, and where it says that it has a write-ahead log.
MAGIC = b"SQLite format 3\0"
VERSIONS = slice(18, 20)
WAL = b"\x02\x02"


def look(config: Config) -> Iterator[Finding]:
    file = config.sqlite_path
    assert file is not None
    yield _library(config.workers)
    folder = file.parent
    if not folder.is_dir():
        if folder != config.data:
            yield error(PART, f"the folder {folder} is not there: make it, writable for the service's user")
        return
    yield _disk(folder)
    shut = [one for one in (folder, *_files(file)) if not writable(one)]
    if shut:
        yield error(PART, f"{', '.join(map(str, shut))} may not be written: hand it to the service's user")
    if not file.exists() or not file.stat().st_size:
        yield warning("schema", f"no database yet at {file}: run chatapp upgrade, or the first start makes it")
        return
    yield from _opened(file)


def _library(workers: int) -> Finding:
    found = f"SQLite {sqlite3.sqlite_version}"
    if workers == 1:
        return ok(PART, found)
    if sqlite3.sqlite_version_info < SOUND:
        return warning(
            PART,
            f"{found} with {workers} workers: before {'.'.join(map(str, SOUND))} writing and checkpointing at once can"
            " corrupt the log, so the service checkpoints by itself, one process at a time; use PostgreSQL",
        )
    return warning(PART, f"{found} with {workers} workers: fit for trying; use PostgreSQL for more than one")


def _disk(folder: Path) -> Finding:
    free_bytes = shutil.disk_usage(folder).free
    text = f"{free_bytes // MIB} MiB free for {folder}"
    if free_bytes < DISK_ERROR_BYTES:
        return error("disk", f"{text}: make room, or sends will be refused")
    if free_bytes < DISK_WARNING_BYTES:
        return warning("disk", f"{text}: make room")
    return ok("disk", text)


def _files(file: Path) -> list[Path]:
    """The database and the files that belong to it, if they exist. One that root left behind stops the service."""
    files = [file, *(Path(f"{file}{end}") for end in ("-wal", "-shm", ".lock", ".checkpoint-lock"))]
    return [one for one in files if one.exists()]


def _opened(file: Path) -> Iterator[Finding]:
    with file.open("rb") as opened:
        header = opened.read(VERSIONS.stop)
    if not header.startswith(MAGIC):
        yield error(PART, f"{file} is no SQLite database: set DATABASE_URL to another file")
        return
    if header[VERSIONS] == WAL:
        yield ok(PART, f"{file} has a write-ahead log and may be written")
    else:
        yield error(
            PART, f"{file} has no write-ahead log: end what else uses it, then start the service, which sets it"
        )
    log, shared = Path(f"{file}-wal").exists(), Path(f"{file}-shm").exists()
    if log and not shared:
        # To read it, SQLite would make the file -shm, owned by whoever runs this.
        yield warning(
            "schema", f"not looked at: {file}-wal lies there without -shm, as after copying; start the service"
        )
        return
    # Without a log beside it nobody has it open. SQLite may then take it as it is, and makes no files.
    mode = "mode=ro" if log else "immutable=1"
    address = f"{file.as_uri()}?{mode}"
    engine = create_engine(
        "sqlite://", poolclass=NullPool, creator=lambda: sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_S)
    )
    try:
        with engine.connect() as connection:
            yield revision.look(connection)
    except SQLAlchemyError as cause:
        yield error(PART, f"{file} cannot be read: {first_line(getattr(cause, 'orig', None) or cause)}")
