"""Open files and the queue of new connections: what the system allows against what the service takes."""

import sys
from collections.abc import Iterator
from pathlib import Path

from chatapp.command.check.finding import Finding
from chatapp.command.check.finding import ok
from chatapp.command.check.finding import warning
from chatapp.config import BACKLOG
from chatapp.config import Config
from chatapp.runtime import file_limit

SOMAXCONN = Path("/proc/sys/net/core/somaxconn")


def look(config: Config) -> Iterator[Finding]:
    yield judge(config.max_connections, config.stream_places, file_limit())
    if sys.platform == "linux" and SOMAXCONN.exists():
        queue = int(SOMAXCONN.read_text())
        if queue < BACKLOG:
            yield warning(
                "somaxconn",
                f"{queue} new connections may wait, gunicorn asks for {BACKLOG}: sysctl net.core.somaxconn={BACKLOG}",
            )
        else:
            yield ok("somaxconn", f"{queue}")


def judge(wanted: int, places: int, files: int) -> Finding:
    """`wanted` streams and polls in one worker, the `places` for them, and the `files` that it may open."""
    numbers = f"{files} files a worker, for {wanted} streams and polls"
    if places >= wanted:
        return ok("file limit", numbers)
    missing = files + wanted - places
    remedy = f"ulimit -Hn {missing}, LimitNOFILE={missing} in systemd, or a smaller CHATAPP_MAX_CONNECTIONS"
    return warning("file limit", f"{numbers}: it will take {places} at most; {remedy}")
