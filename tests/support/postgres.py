"""A private PostgreSQL, run as an ordinary user, with a database for each service."""

import os
import pwd
import shutil
import signal
import subprocess
import uuid
from pathlib import Path
from typing import Any

import psutil
import psycopg

from tests.support.processes import Process
from tests.support.processes import binary
from tests.support.processes import free_port
from tests.support.processes import wait_until

FOLDERS = [str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]


class Postgres:
    def __init__(self, folder: Path, standby_of: "Postgres | None" = None) -> None:
        self.port = free_port()
        self._folder = folder
        self._data = folder / "data"
        folder.mkdir(parents=True)
        # PostgreSQL refuses to run as root; the folder is then handed to an ordinary user.
        self.as_user: list[str] = []
        self.user: str | None = None
        if os.geteuid() == 0:
            self.user = user = next(one for one in ("postgres", "nobody") if _exists(one))
            shutil.chown(folder, user)
            for parent in [*folder.parents][:-1]:
                if parent.stat().st_uid == 0 and not parent.stat().st_mode & 0o001:
                    parent.chmod(parent.stat().st_mode | 0o011)
            self.as_user = [binary("setpriv"), f"--reuid={user}", "--regid=" + _group(user), "--clear-groups"]
        if standby_of is None:
            self._run(
                [binary("initdb", *FOLDERS), "-D", str(self._data), "-U", "chat", "-A", "trust", "-E", "UTF8", "-N"]
            )
        else:
            copy = [binary("pg_basebackup", *FOLDERS), "-D", str(self._data), "-R", "-N", "-c", "fast"]
            self._run([*copy, "-d", standby_of._url("postgres")])
        self.process = self._start()

    @property
    def server(self) -> psutil.Process:
        """The server itself, which setpriv has become."""
        return psutil.Process(self.process.pid)

    def database(self) -> str:
        """A new empty database. Returns its URL."""
        name = f"chat_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self._url(name)

    def on(self, url: str) -> str:
        """The same database as there, on this server."""
        return self._url(url.rpartition("/")[2])

    def ask(self, query: str) -> Any:
        """One value, or None where it says nothing."""
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            found = connection.execute(query.encode())
            row = found.fetchone() if found.description else None
        return None if row is None else row[0]

    def caught_up_with(self, primary: "Postgres") -> bool:
        """Whether this standby has all that is in the primary now."""
        end = primary.ask("SELECT pg_current_wal_lsn()::text")
        return bool(self.ask(f"SELECT pg_last_wal_replay_lsn() >= '{end}'"))

    def dump(self, url: str, path: Path) -> None:
        self._run([binary("pg_dump", *FOLDERS), "-Fc", "-d", url], path)

    def restore(self, path: Path, url: str) -> None:
        """What the dump has, in an empty database."""
        subprocess.run([binary("pg_restore", *FOLDERS), "--no-owner", "-d", url, str(path)], check=True, cwd="/")

    def replace(self, url: str, by: str) -> None:
        """From now on another database has this address. Whoever is connected is thrown out."""
        old, new = (one.rpartition("/")[2] for one in (url, by))
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {old} ALLOW_CONNECTIONS false".encode())
            connection.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [old])
            connection.execute(f"ALTER DATABASE {old} RENAME TO {old}_before".encode())
            connection.execute(f"ALTER DATABASE {new} RENAME TO {old}".encode())

    def stop(self) -> None:
        """At once, whoever is connected: SIGINT is PostgreSQL's fast shutdown, SIGTERM waits for every client."""
        if self.process.popen.poll() is None:
            self.process.signal(signal.SIGINT)
            self.process.wait()
        self.process.stop()

    def start_again(self) -> None:
        # It may have ended by itself, or been killed: its log is still open.
        self.process.stop()
        self.process = self._start()

    def _start(self) -> Process:
        command = [binary("postgres", *FOLDERS), "-D", str(self._data), "-p", str(self.port)]
        # No unix socket: its path would be longer than the system allows.
        command += ["-k", "", "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=500"]
        # Within this time it looks at each database, by a new process: a hundred of them are a process a second.
        command += ["-c", "autovacuum_naptime=10min"]
        process = Process([*self.as_user, *command], self._folder.parent / "postgres.log")
        wait_until(self._answers, what="PostgreSQL")
        return process

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, command: list[str], output: Path = Path("/dev/null")) -> None:
        with output.open("wb") as into:
            subprocess.run([*self.as_user, *command], check=True, stdout=into, cwd="/")

    def _url(self, database: str) -> str:
        return f"postgresql://chat@127.0.0.1:{self.port}/{database}"


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def _group(user: str) -> str:
    return str(pwd.getpwnam(user).pw_gid)
