"""A primary and its replica, each a private redis-server, and three Sentinels that watch them, all with passwords."""

from pathlib import Path
from urllib.parse import quote

import redis

from tests.support.processes import Process
from tests.support.processes import binary
from tests.support.processes import free_port
from tests.support.processes import wait_until
from tests.support.redis_server import RedisServer

NAME = "chat.of-all"
# What passwords are made of where they are made by machines.
PASSWORD, SENTINEL_PASSWORD = "p@ss/w:rd#100%", "s?ntinel&=+"
# A server is down after this; a failover by three of them takes about as long again.
DOWN_AFTER_MS = 1000

SETTINGS = """
port {port}
bind 127.0.0.1
dir {folder}
requirepass "{own}"
sentinel sentinel-pass "{own}"
sentinel monitor {name} 127.0.0.1 {primary} 2
sentinel auth-pass {name} "{password}"
sentinel down-after-milliseconds {name} {down_after_ms}
sentinel failover-timeout {name} 4000
"""


class Sentinels:
    """`url` is the address for the service."""

    def __init__(self, folder: Path) -> None:
        command = ("redis-server", "--requirepass", PASSWORD, "--masterauth", PASSWORD)
        self.servers = [RedisServer(folder / one, command, password=PASSWORD) for one in ("primary", "replica")]
        self.primary, self.replica = self.servers
        self.replica.client.replicaof("127.0.0.1", str(self.primary.port))
        wait_until(lambda: self.replica.client.info("replication")["master_link_status"] == "up", what="the replica")
        self.ports = [free_port() for _ in range(3)]
        self.processes = [self._start(folder, port) for port in self.ports]
        wait_until(lambda: all(self._knows_all(port) for port in self.ports), what="the Sentinels")
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        self.url = (
            f"redis+sentinel://:{quote(PASSWORD, safe='')}@{hosts}/{NAME}/0"
            f"?sentinel_password={quote(SENTINEL_PASSWORD, safe='')}"
        )

    def stop(self) -> None:
        for process in self.processes:
            # One may be stopped, and hear of nothing else.
            process.kill()
        for server in self.servers:
            server.stop()

    def _start(self, folder: Path, port: int) -> Process:
        own = folder / f"sentinel-{port}"
        own.mkdir()
        settings = own / "sentinel.conf"
        settings.write_text(
            SETTINGS.format(
                port=port,
                folder=own,
                own=SENTINEL_PASSWORD,
                name=NAME,
                primary=self.primary.port,
                password=PASSWORD,
                down_after_ms=DOWN_AFTER_MS,
            )
        )
        return Process([binary("redis-server"), str(settings), "--sentinel"], own / "sentinel.log")

    def _knows_all(self, port: int) -> bool:
        """Both other Sentinels and the replica: before that it moves nothing."""
        try:
            with redis.Redis(port=port, password=SENTINEL_PASSWORD, socket_timeout=5) as client:
                state = client.sentinel_master(NAME)
                return bool(state["num-other-sentinels"] == 2 and state["num-slaves"] == 1)
        except redis.RedisError:
            return False
