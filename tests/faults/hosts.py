"""`Hosts`: several services on one database and one Redis, each with ways of its own to both, which can be cut."""

import os
import signal
from collections.abc import Sequence
from contextlib import ExitStack
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.front import Front
from tests.support.moving_name import MovingName
from tests.support.processes import wait_until
from tests.support.service import Service

SECRET = "one for all hosts, as there has to be"
BACK_WITHIN_S = 60.0


class Host:
    """A service, and its ways to Redis and to the database."""

    def __init__(self, folder: Path, settings: dict[str, str], under: Sequence[str], ended: ExitStack) -> None:
        self.to_redis = self._relay(settings, "REDIS_URL", ended)
        self.to_database = self._relay(settings, "DATABASE_URL", ended)
        self.service = Service(folder, under, **settings, SECRET_KEY=SECRET)
        ended.callback(self.service.stop)

    @staticmethod
    def _relay(settings: dict[str, str], name: str, ended: ExitStack) -> MovingName | None:
        """None where the address names several servers: each of them is asked by itself."""
        port = None if "," in settings[name] else urlsplit(settings[name]).port
        if port is None:
            return None
        relay = ended.enter_context(MovingName(port))
        settings[name] = settings[name].replace(f":{port}/", f":{relay.port}/")
        return relay

    def kill(self) -> None:
        """The machine is gone: nothing of it says goodbye."""
        workers = self.service.workers()
        self.service.kill()
        for pid in workers:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def start_again(self) -> None:
        self.service.start_again()
        wait_until(self.service.ready, BACK_WITHIN_S, "the host to serve again")


class Hosts:
    """`url` is in front of all. Each is started by one of the commands in `under`."""

    def __init__(self, folder: Path, under: Sequence[Sequence[str]], settings: dict[str, str]) -> None:
        self._ended = ExitStack()
        try:
            self.all = [
                Host(folder / f"host-{number}", dict(settings), by, self._ended) for number, by in enumerate(under)
            ]
        except BaseException:
            self._ended.close()
            raise
        self.url = self._ended.enter_context(Front([host.service.port for host in self.all])).url

    def close(self) -> None:
        self._ended.close()
