"""Socket.IO on Node: each stream is a WebSocket."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench import request
from bench.gunicorn import APPS
from bench.target import Target
from bench.target import running
from bench.tree import Tree
from bench.venv import node_modules
from tests.support.processes import binary
from tests.support.processes import free_port


@contextmanager
def node_socketio() -> Iterator[Target]:
    port = free_port()
    settings = {"NODE_PATH": str(node_modules()), "PORT": str(port)}
    with running([binary("node"), str(APPS / "socketio.cjs")], port, **settings) as process:
        send = request.post("/send", request.MESSAGE)
        yield Target("Socket.IO (Node)", port, Tree(process.pid), [request.websocket()], [send], socketio=True)
