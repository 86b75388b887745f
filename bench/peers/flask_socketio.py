"""Flask-SocketIO under gunicorn with gevent-websocket: each stream is a WebSocket."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench import gunicorn
from bench import request
from bench.target import Target
from bench.target import running
from bench.tree import Tree
from bench.venv import python_folder
from tests.support.processes import free_port

WORKER = "geventwebsocket.gunicorn.workers.GeventWebSocketWorker"


@contextmanager
def flask_socketio() -> Iterator[Target]:
    port = free_port()
    with running(gunicorn.command(python_folder(), "flask_socketio_app", port, "-k", WORKER), port) as process:
        send = request.post("/send", request.MESSAGE)
        yield Target("Flask-SocketIO", port, Tree(process.pid), [request.websocket()], [send], socketio=True)
