"""A private PgBouncer in front of a private PostgreSQL."""

import shutil
from pathlib import Path

import psycopg

from tests.support.postgres import Postgres
from tests.support.processes import Process
from tests.support.processes import binary
from tests.support.processes import free_port
from tests.support.processes import wait_until

# Few servers for many clients where that is possible, so that each transaction may meet another one.
SERVERS = {"transaction": 4, "session": 60}
SETTINGS = """
[databases]
* = host=127.0.0.1 port={server} user=chat
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {size}
max_client_conn = 200
server_login_retry = 1
"""


class PgBouncer:
    """Starts at once. Nothing is set beyond the way of pooling: it refuses what it refuses by default."""

    def __init__(self, folder: Path, postgres: Postgres, mode: str) -> None:
        self.port = free_port()
        self._postgres = postgres
        folder.mkdir(parents=True)
        settings = folder / "pgbouncer.ini"
        settings.write_text(SETTINGS.format(server=postgres.port, port=self.port, mode=mode, size=SERVERS[mode]))
        # Like PostgreSQL, it refuses to run as root, and must be able to read this whatever the umask of the tests.
        if postgres.user is not None:
            shutil.chown(folder, postgres.user)
            shutil.chown(settings, postgres.user)
        command = [*postgres.as_user, binary("pgbouncer", "/usr/sbin"), str(settings)]
        self.process = Process(command, folder / "pgbouncer.log")
        try:
            wait_until(self._answers, what="PgBouncer")
        except TimeoutError:
            self.stop()
            raise TimeoutError((folder / "pgbouncer.log").read_text()[-2000:]) from None

    def database(self) -> str:
        """A new empty database. Returns its URL, through the pooler."""
        return self._postgres.database().replace(f":{self._postgres.port}/", f":{self.port}/")

    def stop(self) -> None:
        self.process.stop()

    def _answers(self) -> bool:
        try:
            psycopg.connect(f"postgresql://chat@127.0.0.1:{self.port}/postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True
