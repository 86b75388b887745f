"""A private redis-server."""

from collections.abc import Sequence
from pathlib import Path

import redis

from tests.support.processes import Process
from tests.support.processes import binary
from tests.support.processes import free_port
from tests.support.processes import wait_until


class RedisServer:
    """Starts at once and keeps nothing on disk. `command` is the program, `env` its whole environment."""

    def __init__(
        self,
        folder: Path,
        command: Sequence[str] = ("redis-server",),
        env: dict[str, str] | None = None,
        password: str | None = None,
        port: int | None = None,
    ) -> None:
        self._command = [binary(command[0]), *command[1:]]
        self._env = env
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.port = port or free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = redis.Redis(port=self.port, password=password, socket_timeout=5)
        self.process = self._start()

    def _start(self) -> Process:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)]
        process = Process([*self._command, *options], self._folder / "redis.log", env=self._env)
        wait_until(self._answers, what="Redis")
        return process

    def start_again(self) -> None:
        # It may have ended by itself, or been killed: its log is still open.
        self.process.stop()
        self.process = self._start()

    def stop(self) -> None:
        self.client.close()
        self.process.stop()

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False
