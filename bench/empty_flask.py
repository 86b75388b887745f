"""The limit of a request: a Flask route that does nothing, in the gunicorn and the gevent that the service has."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import gunicorn
from bench import request
from bench.target import Target
from bench.target import running
from bench.tree import Tree
from tests.support.processes import free_port

NAME = "empty Flask route"


@contextmanager
def empty_flask() -> Iterator[Target]:
    port = free_port()
    with running(gunicorn.command(Path(sys.executable).parent, "empty", port), port, "/empty") as process:
        sends = [request.post("/empty", request.short_message())]
        yield Target(NAME, port, Tree(process.pid), [request.get("/empty")], sends)
