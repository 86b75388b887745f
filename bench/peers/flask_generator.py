"""A generator in plain Flask, under gunicorn's gevent worker."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench import gunicorn
from bench import request
from bench.target import Target
from bench.target import running
from bench.tree import Tree
from bench.venv import python_folder
from tests.support.processes import free_port


@contextmanager
def flask_generator() -> Iterator[Target]:
    port = free_port()
    with running(gunicorn.command(python_folder(), "flask_generator_app", port), port) as process:
        stream, send = request.get("/stream", Accept="text/event-stream"), request.post("/send", request.MESSAGE)
        yield Target("Flask generator", port, Tree(process.pid), [stream], [send])
