"""Open files and the queue of new connections: what the system allows against what the service takes."""

import resource
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from chatapp.check.finding import Finding
from chatapp.check.finding import error
from chatapp.check.finding import ok
from chatapp.check.finding import warning
from chatapp.config import RESERVED_FILES
from chatapp.config import Config

# What a worker opens for itself: 10 files to PostgreSQL, 66 to Redis, and listeners, logs and pipes.
OWN_FILES = 100
# gunicorn asks for a queue this long, and the kernel cuts it to its own limit.
BACKLOG = 2048
SOMAXCONN = Path("/proc/sys/net/core/somaxconn")


def raise_limit() -> None:
    """As gunicorn.conf.py does: the soft limit is only where a process begins."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def look(config: Config) -> Iterator[Finding]:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield judge(config.max_connections, hard)
    if sys.platform == "linux" and SOMAXCONN.exists():
        queue = int(SOMAXCONN.read_text())
        if queue < BACKLOG:
            yield warning(
                "somaxconn",
                f"{queue} new connections may wait, gunicorn asks for {BACKLOG}: sysctl net.core.somaxconn={BACKLOG}",
            )
        else:
            yield ok("somaxconn", f"{queue}")


def judge(streams: int, files: int) -> Finding:
    """`streams` and polls held open by one worker, and the `files` that it may open."""
    if files == resource.RLIM_INFINITY:
        return ok("file limit", f"none; up to {streams} streams and polls a worker")
    wanted = streams + RESERVED_FILES
    numbers = f"{files} files a worker, for {streams} streams and polls"
    remedy = f"ulimit -Hn {wanted}, LimitNOFILE={wanted} in systemd, or a smaller CHATAPP_MAX_CONNECTIONS"
    if files < streams + OWN_FILES:
        return error("file limit", f"{numbers} and {OWN_FILES} of its own: {remedy}")
    if files < wanted:
        return warning("file limit", f"{numbers}: only {files - streams} are left for all else; {remedy}")
    return ok("file limit", numbers)
