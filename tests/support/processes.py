"""Starting and ending the real servers that the tests run against."""

import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle
from pathlib import Path
from typing import IO

import httpx
import psutil

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0


# Below those that the kernel gives to clients, so that no connection takes a server's port before it listens there.
PORTS = range(20_000, 32_000)
# Runs of these tests side by side each have a share of them.
SHARES = 16


def _ports() -> Iterator[int]:
    share = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % SHARES
    own = PORTS[share::SHARES]
    start = random.randrange(len(own))
    yield from cycle([*own[start:], *own[:start]])


_candidates = _ports()


def free_port() -> int:
    """One that nothing listens on, and that was not given out lately."""
    while True:
        port = next(_candidates)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def wait_until(condition: Callable[[], object], seconds: float = START_TIMEOUT_S, what: str = "the condition") -> None:
    """Wait for a condition; the only waiting in the tests that is not on a socket."""
    deadline_s = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"{what} did not come true within {seconds} s")
        time.sleep(0.02)


def answers(url: str, tls: ssl.SSLContext | bool = True) -> bool:
    """Whether a server is there by now, and has not broken down."""
    try:
        return httpx.get(url, timeout=2, verify=tls).status_code < 500
    except httpx.TransportError:
        return False


def binary(name: str, *folders: str) -> str:
    """A program that must be there: without it the run is red, not shorter."""
    path = shutil.which(name, path=os.pathsep.join([*folders, os.environ.get("PATH", "")]))
    if path is None:
        raise FileNotFoundError(f"{name} is not installed: run `make test`, which installs it")
    return path


class Process:
    """One child process with its output in a file."""

    def __init__(
        self, command: list[str], log: Path, env: dict[str, str] | None = None, cwd: Path | None = None
    ) -> None:
        self.log = log
        self._out: IO[bytes] = log.open("ab")
        self.popen = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=self._out,
            env=env,
            cwd=cwd,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self.popen.pid

    def children(self) -> list[int]:
        return [child.pid for child in psutil.Process(self.pid).children()]

    def signal(self, number: signal.Signals) -> None:
        self.popen.send_signal(number)

    def wait(self, seconds: float = STOP_TIMEOUT_S) -> int:
        return self.popen.wait(seconds)

    def stop(self) -> None:
        """End it politely, then not."""
        if self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.kill()
        self._out.close()

    def kill(self) -> None:
        if self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait(STOP_TIMEOUT_S)
        self._out.close()

    def output(self) -> str:
        return self.log.read_text(errors="replace")
