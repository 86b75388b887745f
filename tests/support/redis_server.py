"""A private redis-server."""

from pathlib import Path

import redis

from tests.support.processes import Process
from tests.support.processes import binary
from tests.support.processes import free_port
from tests.support.processes import wait_until


class RedisServer:
    def __init__(self, folder: Path, *options: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._options = options
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = redis.Redis(port=self.port, socket_timeout=5)
        self.process = self._start()

    def _start(self) -> Process:
        command = [binary("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        process = Process([*command, "--dir", str(self._folder), *self._options], self._folder / "redis.log")
        wait_until(self._answers, what="Redis")
        return process

    def start_again(self) -> None:
        self.process = self._start()

    def stop(self) -> None:
        self.client.close()
        self.process.stop()

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False
