"""How gunicorn starts: arguments from the environment, and sockets that are gevent's before anyone uses them.

What a running worker has cannot be seen from here; it refuses by itself to start with unpatched sockets.
"""

import io
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stderr
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from chatapp.command.check.finding import Finding
from chatapp.command.check.finding import error
from chatapp.command.check.finding import ok
from chatapp.command.check.finding import warning
from chatapp.config import Config
from chatapp.root import ROOT

ARGUMENTS = "GUNICORN_CMD_ARGS"
WORKER_CLASS = "chatapp.server.worker.ChatWorker"
# It imports gevent and stops at the patch: a third of a second on an idle machine.
PROBE_TIMEOUT_S = 8.0
PATCHED = "patched"

# Runs one entry file up to its patch, in the service's environment: what an agent in PYTHONPATH imports counts.
# How psycopg waits depends on the patch when it is imported; others keep the socket that they found.
PROBE = """
import runpy, socket, sys
from gevent import monkey

WATCHED = {"chatapp", "psycopg", "redis", "sqlalchemy", "httpx", "urllib3", "requests"}

class Done(BaseException):
    pass

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in WATCHED:
            raise Done(f"{name} is imported before the patch")

def patch_all(*args, **kwargs):
    original(*args, **kwargs)
    import gevent.socket
    raise Done("patched" if socket.socket is gevent.socket.socket else "the patch leaves out sockets")

early = sorted(WATCHED & sys.modules.keys())
original, monkey.patch_all = monkey.patch_all, patch_all
sys.meta_path.insert(0, Watch())
try:
    if early:
        raise Done(f"{early[0]} is imported before the file is read")
    runpy.run_path(sys.argv[1])
    raise Done("it does not patch")
except Done as done:
    print(f"\\n{done}")
"""


def look(config: Config) -> Iterator[Finding]:
    yield from _arguments(config)
    yield from _patches()


def _arguments(config: Config) -> Iterator[Finding]:
    """What gunicorn takes from the environment, above gunicorn.conf.py, read by gunicorn's own parser."""
    # Not at the top: it reads WEB_CONCURRENCY while it is imported, which must have been checked before.
    from gunicorn.config import Config as GunicornConfig

    settings = GunicornConfig()
    said = io.StringIO()
    try:
        given = settings.get_cmd_args_from_env()
        with redirect_stderr(said), redirect_stdout(said):
            arguments = vars(settings.parser().parse_args(given))
    except (ValueError, SystemExit):
        yield error(ARGUMENTS, "gunicorn cannot read it: see gunicorn --help")
        return
    found = list(_unfit(arguments, config))
    yield from found
    if given and not found:
        yield ok(ARGUMENTS, "nothing in it harms the service")


def _unfit(arguments: dict[str, Any], config: Config) -> Iterator[Finding]:
    worker_class = arguments.get("worker_class")
    if worker_class not in (None, WORKER_CLASS):
        yield error(ARGUMENTS, f"worker class {worker_class}: only {WORKER_CLASS} holds streams; remove it")
    if arguments.get("preload_app"):
        yield error(ARGUMENTS, "--preload: connections and greenlets belong to one process; remove it")
    file = arguments.get("config")
    if file is not None and Path(file.removeprefix("file:")).absolute() != ROOT / "gunicorn.conf.py":
        yield error(ARGUMENTS, f"another settings file, {file}: gunicorn.conf.py is then not read; remove it")
    if arguments.get("workers") not in (None, config.workers):
        yield error(ARGUMENTS, f"{arguments['workers']} workers: connections are counted by WEB_CONCURRENCY; set that")
    if arguments.get("max_requests"):
        yield warning(ARGUMENTS, "--max-requests: streams count as requests, so workers restart under them; remove it")
    connections = arguments.get("worker_connections")
    if connections is not None and connections <= config.max_connections:
        yield error(
            ARGUMENTS,
            f"{connections} worker connections: {config.max_connections} streams leave no place for a send; remove it",
        )


def _patches() -> Iterator[Finding]:
    """Both files are tried at once: on a busy machine each takes a while."""
    probes = {file: _probe(ROOT / file) for file in ("gunicorn.conf.py", "wsgi.py")}
    deadline_s = time.monotonic() + PROBE_TIMEOUT_S
    for file, probe in probes.items():
        said = _said(probe, deadline_s)
        if said is None:
            yield warning("sockets", f"{file} could not be tried within {PROBE_TIMEOUT_S:.0f} s: check again")
        elif said == PATCHED:
            yield ok("sockets", f"{file} patches them before a library uses them")
        else:
            yield error("sockets", f"{file}: {said}: one query would hold up everyone; patch before anything else")


def _probe(file: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROBE, str(file)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _said(probe: subprocess.Popen[str], deadline_s: float) -> str | None:
    """PATCHED, or what is wrong with the file; None if that cannot be said in time."""
    with probe:
        try:
            out, err = probe.communicate(timeout=max(0.0, deadline_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            probe.kill()
            return None
        lines = (err if probe.returncode else out).strip().splitlines()
        return lines[-1] if lines else "it ends by itself"
