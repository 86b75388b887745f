"""`DemoProcess`: starts the process of `/demo` when it is first wanted, kills workers for it, and ends it."""

import logging
import os
import signal
import socket
import sys
from _socket import socketpair  # the module's own makes gevent's sockets, which are no use in a native thread
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from chatapp.runtime import gevent_ties
from chatapp.server.embedded_redis import LAUNCHER
from chatapp.server.embedded_redis import RESTART_PAUSE_S
from chatapp.server.embedded_redis import is_private

BACKLOG = 16
# How soon its end is noticed, should a worker hold a copy of the descriptor that says so.
LOOK_MS = 1000
PIECE_BYTES = 64


def target(addresses: list[Any]) -> tuple[str, int] | None:
    """Where the service is found, if nobody but this machine can reach it: the demonstration kills workers."""
    found = [(str(address[0]), int(address[1])) for address in addresses if isinstance(address, tuple)]
    if len(found) < len(addresses) or not all(ip_address(host).is_loopback for host, _ in found):
        return None
    return found[0] if found else None


class DemoProcess:
    """The workers' socket is bound here and handed over: the first who connects has the process started, and waits.

    As with the embedded Redis, a native thread watches, which is not copied into the workers.
    """

    def __init__(
        self, path: Path, target: tuple[str, int], workers: Callable[[], list[int]], log: logging.Logger
    ) -> None:
        self._path = path
        self._target = target
        self._workers = workers
        self._log = log
        self._listener = socket.socket(socket.AF_UNIX)
        self._pid = 0
        self._stopping = False

    def start(self) -> None:
        """Bind, and wait for someone to want it. A service without its demonstration is still a service."""
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            if not is_private(self._path.parent):
                raise OSError("the folder is open to others")
            self._path.unlink(missing_ok=True)
            self._listener.bind(str(self._path))
            self._listener.listen(BACKLOG)
        except OSError as error:
            self._log.warning("no demonstration: %s: %s", self._path, error)
            return
        gevent_ties.original("_thread", "start_new_thread")(self._watch, ())

    def stop(self) -> None:
        self._stopping = True
        self._listener.close()
        if self._pid:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGTERM)
        self._path.unlink(missing_ok=True)

    def _over(self) -> bool:
        """A call, not the attribute: another thread may change it meanwhile."""
        return self._stopping

    def _watch(self) -> None:
        """Native thread: nothing here may be gevent's."""
        sleep = gevent_ties.original("time", "sleep")
        while not self._over():
            _readable(self._listener.fileno(), None)
            try:
                self._attend(self._spawn())
            except Exception as error:
                self._log.error("the demonstration cannot be started: %s", error)
            sleep(RESTART_PAUSE_S)

    def _spawn(self) -> int:
        """Returns a descriptor by which the process says its wishes, and which ends with it."""
        ours, its = (one.detach() for one in socketpair())
        host, port = self._target
        command = [sys.executable, "-c", LAUNCHER, str(os.getpid()), sys.executable, "-m", "chatapp.demo"]
        command += [host, str(port)]
        try:
            actions = [(os.POSIX_SPAWN_DUP2, self._listener.fileno(), 0), (os.POSIX_SPAWN_DUP2, its, 1)]
            spawn = gevent_ties.original("os", "posix_spawn")
            self._pid = spawn(sys.executable, command, os.environ, file_actions=actions)
        finally:
            os.close(its)
        self._log.info("the demonstration runs as process %d", self._pid)
        return ours

    def _attend(self, descriptor: int) -> None:
        """Do what it asks for until it is gone."""
        try:
            while not _gone(self._pid):
                if _readable(descriptor, LOOK_MS):
                    if not os.read(descriptor, PIECE_BYTES):
                        return
                    os.write(descriptor, self._kill_workers().encode())
        finally:
            os.close(descriptor)
            if not self._over():
                self._log.warning("the demonstration's process ended")

    def _kill_workers(self) -> str:
        """All there are: with one of several, a visitor whose connections another one holds would see nothing."""
        killed = []
        for pid in self._workers():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed.append(str(pid))
        return ", ".join(killed) or "none"


def _readable(descriptor: int, within_ms: int | None) -> bool:
    poll = gevent_ties.original("select", "poll")()
    poll.register(descriptor, 1)
    return bool(poll.poll(within_ms))


def _gone(pid: int) -> bool:
    """Whether our child has ended. gunicorn's master may have reaped it first."""
    try:
        ended, _ = gevent_ties.original("os", "waitpid")(pid, os.WNOHANG)
    except ChildProcessError:
        return True
    return bool(ended)
