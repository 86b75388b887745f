"""The service as an operator runs it: gunicorn, its workers, and what it stands on."""

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from tests.support.processes import Process
from tests.support.processes import answers
from tests.support.processes import free_port
from tests.support.processes import wait_until

ROOT = Path(__file__).parent.parent.parent

# Wide enough that only the tests of the limits meet them.
WIDE = {
    "CHATAPP_RATE_BURST": "100000",
    "CHATAPP_RATE_PER_SECOND": "10000",
    "CHATAPP_GUESTS_PER_MINUTE": "100000",
    "CHATAPP_MAX_CONNECTIONS_PER_USER": "1000",
}


class Service:
    """Starts at once; `url` answers when the constructor returns. Settings as in the contract's table.

    `under` is a command that starts it, such as prlimit with its options; `tree` is where it lies.
    """

    def __init__(self, folder: Path, under: Sequence[str] = (), tree: Path = ROOT, **settings: str) -> None:
        self._under = list(under)
        self._tree = tree
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = {**WIDE, "CHATAPP_DATA": str(folder / "data"), "PORT": str(self.port), **settings}
        self.process = self._start()

    def _start(self) -> Process:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        command = [*self._under, str(Path(sys.executable).parent / "gunicorn"), "wsgi:app", "--chdir", str(self._tree)]
        command += ["-c", str(self._tree / "gunicorn.conf.py")]
        # gunicorn looks into the folder that it is started in first, and the installed package lies in ROOT.
        kept["PYTHONPATH"] = str(self._tree)
        process = Process(command, self.folder / "service.log", {**kept, **self.settings}, self._tree)
        self.process = process
        try:
            wait_until(self.ready, what=f"the service; its log: {self.folder / 'service.log'}")
        except TimeoutError:
            process.stop()
            raise TimeoutError(self.log()) from None
        except RuntimeError:
            process.stop()
            raise
        return process

    def ready(self) -> bool:
        if self.process.popen.poll() is not None:
            raise RuntimeError(f"the service ended:\n{self.log()}")
        return answers(f"{self.url}/readyz")

    def workers(self) -> list[int]:
        """The worker processes. The embedded Redis is a child too, and so is the demonstration's process."""
        pids = []
        for child in psutil.Process(self.process.pid).children():
            with suppress(psutil.NoSuchProcess):
                if "redis" not in child.name() and child.status() != psutil.STATUS_ZOMBIE and not _is_demo(child):
                    pids.append(child.pid)
        return pids

    def demo(self) -> psutil.Process | None:
        """The demonstration's process, once it is wanted."""
        return next((child for child in psutil.Process(self.process.pid).children() if _is_demo(child)), None)

    def stop(self) -> None:
        self.process.stop()

    def restart(self) -> None:
        """Stop politely and start again, at the same address."""
        self.process.stop()
        self._start()

    def kill(self) -> None:
        """kill -9 of the master; the workers notice by themselves."""
        self.process.kill()

    def kill_worker(self, index: int = 0) -> int:
        pid = self.workers()[index]
        os.kill(pid, signal.SIGKILL)
        return pid

    def kill_workers(self) -> None:
        """SIGKILL for all that there are now."""
        for pid in self.workers():
            os.kill(pid, signal.SIGKILL)

    def start_again(self) -> None:
        # It has ended, by itself or killed: its log is still open.
        self.process.stop()
        self._start()

    def log(self) -> str:
        return self.process.output()


def _is_demo(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return "chatapp.demo" in process.cmdline()
    return False
