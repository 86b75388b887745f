"""`Target`: a server that is measured: where it listens, how it is asked for a stream, how it is sent a message."""

import os
import subprocess
import tempfile
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.tree import Tree
from tests.support.processes import Process
from tests.support.processes import wait_until


@dataclass(frozen=True)
class Target:
    """Requests are whole ones, a line each: see request.py.

    Where a stream says nothing before its first message, `nudge` sends one until all have their first bytes.
    Where it is open before it hears, `subscribed` says how many hear.
    """

    name: str
    port: int
    tree: Tree
    requests: list[str]
    sends: list[str]
    socketio: bool = False
    nudge: Callable[[], object] | None = None
    subscribed: Callable[[], int] | None = None


class CannotRun(Exception):
    """A peer cannot be installed or started, or cannot do what is measured. The text says why, for the report."""


@contextmanager
def running(command: list[str], port: int, path: str = "/", **settings: str) -> Iterator[Process]:
    """A server from its start until it answers at `path`, and to its end. Raises CannotRun with its last words."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        log = Path(folder) / "log"
        process = Process(command, log, env={"PATH": os.environ.get("PATH", ""), **settings})
        try:
            wait_until(lambda: _answers(process, port, path))
            yield process
        except (TimeoutError, subprocess.SubprocessError) as error:
            raise CannotRun(f"{error}; {process.output()[-300:].strip()}") from error
        finally:
            process.stop()


def _answers(process: Process, port: int, path: str) -> bool:
    if process.popen.poll() is not None:
        raise CannotRun(process.output()[-300:].strip())
    try:
        with httpx.stream("GET", f"http://127.0.0.1:{port}{path}", timeout=2):
            return True
    except httpx.TransportError:
        return False
