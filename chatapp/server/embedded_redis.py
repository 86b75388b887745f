"""`EmbeddedRedis`: the zero-setup Redis: private to one service, and gone with it."""

import logging
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

from chatapp.runtime import gevent_ties
from chatapp.server.redis_binary import NoRedisBinary
from chatapp.server.redis_binary import find_binary

START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 3.0
# A server that dies again and again must not keep a core busy being started.
RESTART_PAUSE_S = 0.5
POLL_S = 0.05
MAXMEMORY = "256mb"

# Runs between fork and exec: a session of its own, so that Ctrl-C reaches only the master; and the
# kernel's promise (Linux) to end this process when its parent dies, however it dies.
LAUNCHER = """
import ctypes, os, signal, sys
os.setsid()
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != int(sys.argv[1]):
        sys.exit(0)
os.execv(sys.argv[2], sys.argv[2:])
"""


class EmbeddedRedisError(Exception):
    """The server cannot be started. The text is one line that says what to do."""


class EmbeddedRedis:
    """Starts a redis-server on a socket, starts it again if it dies, and ends it. One for one data folder.

    It is watched from a native thread: a greenlet of the master would be copied into every worker at fork,
    a thread is not.
    """

    def __init__(self, data: Path, socket_path: Path, log: logging.Logger) -> None:
        self._data = data
        self._socket = socket_path
        self._log = log
        self._pid = 0
        self._stopping = False

    def start(self) -> None:
        """Returns when it answers. Raises EmbeddedRedisError."""
        try:
            binary = find_binary()
        except NoRedisBinary as error:
            raise EmbeddedRedisError(str(error)) from None
        self._data.mkdir(parents=True, exist_ok=True)
        self._private_folder(self._socket.parent)
        self._end_leftover()
        self._spawn(binary)
        self._await_answer()
        gevent_ties.original("_thread", "start_new_thread")(self._watch, (binary,))

    def stop(self) -> None:
        self._stopping = True
        if self._pid:
            self._end()
        self._socket.unlink(missing_ok=True)

    def _over(self) -> bool:
        """A call, not the attribute: another thread may change it meanwhile."""
        return self._stopping

    def _spawn(self, binary: str) -> None:
        command = [sys.executable, "-c", LAUNCHER, str(os.getpid()), binary]
        # It keeps nothing: the database has everything, and ids go on above the newest one there.
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._data),
            "save": "",
            "appendonly": "no",
            # A service of a few hundred people needs 20 MB; full, it refuses, and the log is cut.
            "maxmemory": MAXMEMORY,
            "maxmemory-policy": "noeviction",
            "loglevel": "warning",
            # Expired keys may stay a second longer; ten looks a second would cost more than a quiet service does.
            "hz": "1",
        }
        for name, value in options.items():
            command += [f"--{name}", value]
        quiet = os.open(os.devnull, os.O_RDWR)
        try:
            actions = [(os.POSIX_SPAWN_DUP2, quiet, fd) for fd in (0, 1)]
            # The patched one wants the main thread's loop, and a server that died is started again from another thread.
            spawn = gevent_ties.original("os", "posix_spawn")
            self._pid = spawn(sys.executable, command, os.environ, file_actions=actions)
        finally:
            os.close(quiet)

    def _watch(self, binary: str) -> None:
        """Native thread: nothing here may be gevent's."""
        sleep = gevent_ties.original("time", "sleep")
        waitpid = gevent_ties.original("os", "waitpid")
        while True:
            # gunicorn's master may have reaped it first.
            with suppress(ChildProcessError):
                waitpid(self._pid, 0)
            if self._over():
                return
            self._log.warning("the embedded redis-server ended: starting it again")
            sleep(RESTART_PAUSE_S)
            if self._over():
                return
            try:
                self._spawn(binary)
            except Exception as error:
                self._log.error("the embedded redis-server cannot be started: %s", error)

    def _await_answer(self) -> None:
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline_s:
            if _answers(self._socket):
                return
            time.sleep(POLL_S)
        self.stop()
        raise EmbeddedRedisError(f"the embedded redis-server did not start on {self._socket}: set REDIS_URL instead")

    def _end_leftover(self) -> None:
        """A server whose master was killed before it could end it: the folder is ours alone, so it serves nobody."""
        if self._socket.exists() and _answers(self._socket):
            _command(self._socket, b"SHUTDOWN NOSAVE\r\n")
        self._socket.unlink(missing_ok=True)

    def _private_folder(self, folder: Path) -> None:
        """Outside the data folder, only a folder that is ours alone: others may write where it lies."""
        if folder == self._data:
            return
        folder.mkdir(mode=0o700, exist_ok=True)
        if not is_private(folder):
            raise EmbeddedRedisError(f"{folder} belongs to someone else: set CHATAPP_DATA to a shorter path")

    def _end(self) -> None:
        """SIGTERM, and SIGKILL for one that does not go: a stopped process keeps the first for later."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            deadline_s = time.monotonic() + STOP_TIMEOUT_S
            with suppress(ProcessLookupError):
                os.kill(self._pid, number)
            while time.monotonic() < deadline_s:
                if _gone(self._pid):
                    return
                time.sleep(POLL_S)


def is_private(folder: Path) -> bool:
    """Whether it is ours, and closed to everyone else."""
    state = folder.lstat()
    return state.st_uid == os.getuid() and not state.st_mode & 0o077


def _answers(path: Path) -> bool:
    return _command(path, b"PING\r\n").startswith(b"+PONG")


def _command(path: Path, command: bytes) -> bytes:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1.0)
            connection.connect(str(path))
            connection.sendall(command)
            return connection.recv(64)
    except OSError:
        return b""


def _gone(pid: int) -> bool:
    """Whether our child has ended. The watching thread or gunicorn reaps it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
