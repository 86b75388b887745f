"""`ChatWorker`: gunicorn's gevent worker with the service's start and end, and a place for everyone."""

import gc
import logging
import signal
import socket
import sys
import time
from contextlib import AbstractContextManager
from contextlib import suppress
from types import FrameType
from typing import Any

import gevent

from chatapp import metrics
from chatapp.receiving import WRITE_TIMEOUT_S
from chatapp.runtime import gevent_ties
from chatapp.server import gunicorn_ties
from chatapp.server import sentry
from chatapp.server import shortcut
from chatapp.server.connections import Connections
from chatapp.server.gunicorn_ties import LetGo
from chatapp.server.gunicorn_ties import PeerWentAway
from chatapp.server.gunicorn_ties import TakenOver
from chatapp.server.gunicorn_ties import TiedWorker
from chatapp.server.gunicorn_ties import environ
from chatapp.server.gunicorn_ties import unread
from chatapp.server.line_queue import LineQueue
from chatapp.server.tracing import Tracing
from chatapp.services import Services
from chatapp.web import prepare_pages
from chatapp.web import requests
from chatapp.web import services

# What the kernel may hold for one reader. By itself it grows to 4 MiB, and a thousand stuck readers to 4 GiB.
SEND_BUFFER_BYTES = 256 * 1024
# How many new connections a single worker lets in between two turns of its loop, when thousands come at once. With
# gevent's 100 a send waited for seconds behind them; with 4 the loop itself cost more. With several workers, gunicorn
# lets each take one at a time.
ACCEPT_MAX = 16
# How long a connection that was let in while the worker was told to end has to say what it wants.
FIRST_REQUEST_S = 1.0
# A refused body that was not read: this much of it is read, within this time, so that the peer gets to read the answer.
LINGER_MAX_BYTES = 64 * 1024
LINGER_S = 1.0
# Idle connections outlive their limit by at most this much.
SWEEP_S = 2.0
# Python's own 700, 10 and 10 are for small programs: here one request allocates as much.
GC_THRESHOLDS = (20_000, 20, 20)
# SQLite's threads give up the interpreter at every row and get it back after this time while the loop is
# busy. With Python's own 5 ms a read of 200 rows took a second under load.
SWITCH_INTERVAL_S = 0.000_5


def post_worker_init(worker: Any) -> None:
    """gunicorn's hook, before the first request: start what runs in the background."""
    if socket.socket is not gevent.socket.socket:
        # Unpatched, the first query or XREAD would stop every connection of this worker without a word.
        sys.exit("chatapp: sockets are not patched for gevent: start with gunicorn wsgi:app")
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.collect()
    # What was loaded by now stays: looking through it again and again took a tenth of the time under load.
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    metrics.begin()
    worker.write_log()
    if worker.cfg.workers != worker.parts.config.workers:
        worker.log.warning("set the number of workers by WEB_CONCURRENCY: connections are counted by it")
    prepare_pages(worker.flask)
    config = worker.parts.config
    if config.sentry_dsn is not None:
        sentry.start(config)
    if config.otlp_endpoint is not None:
        worker.trace()
    worker.parts.start()


def worker_exit(server: Any, worker: Any) -> None:
    """gunicorn's hook, after the last request. A worker that never got that far has nothing to stop."""
    if worker.flask is not None:
        worker.parts.stop()
    worker.end_log()


class ChatWorker(TiedWorker):
    """Ends streams, polls and idle connections at SIGTERM, and cuts readers that take nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._connections = Connections(self.worker_connections)
        self._takes_shortcut = False
        self._lines: list[LineQueue] = []
        self._tracing: Tracing | None = None
        self._origins: tuple[str, ...] = ()
        gevent_ties.accept_at_most(ACCEPT_MAX)

    def write_log(self) -> None:
        """From here on, what this service says is written without waiting."""
        self._lines = [LineQueue(handler) for handler in gunicorn_ties.stream_handlers(self.log)]
        logger = logging.getLogger("chatapp")
        logger.handlers = [*self._lines]
        logger.setLevel(self.log.error_log.level)
        logger.propagate = False
        for lines in self._lines:
            lines.start()

    def trace(self) -> None:
        tracing = self._tracing = Tracing()
        requests(self.flask).on_answered.append(tracing.record)

    def end_log(self) -> None:
        if self._tracing is not None:
            self._tracing.stop()
        logging.getLogger("chatapp").handlers = self.log.error_log.handlers
        for lines in self._lines:
            lines.stop()

    @property
    def parts(self) -> Services:
        return services(self.flask)

    def run(self) -> None:
        self._takes_shortcut = self.plain
        self._origins = self.parts.config.origins
        gevent.spawn(self._sweep)
        super().run()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        gevent.spawn(self._drain)

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        # Ctrl-C reaches the workers too: end as politely as at SIGTERM.
        if sig == signal.SIGINT:
            self.handle_exit(sig, frame)
        else:
            super().handle_quit(sig, frame)

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        _set_up(client)
        greenlet = gevent.getcurrent()
        self._connections.add(greenlet, client)
        try:
            super().handle(listener, client, addr)
        finally:
            self._connections.remove(greenlet)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> Any:
        # Reading a body has its own deadline, so this bounds the writing.
        sock.settimeout(WRITE_TIMEOUT_S)
        try:
            super().handle_request(listener_name, req, sock, addr)
        except TimeoutError:
            self.log.info("cut a connection that took nothing for %.0f s", WRITE_TIMEOUT_S)
            raise LetGo from None
        except TakenOver:
            raise
        except StopIteration:
            if unread(req):
                _linger(sock)
            raise
        finally:
            self._connections.sent(gevent.getcurrent())
            if sock.fileno() != -1:
                sock.settimeout(None)
        if unread(req):
            _linger(sock)
            raise LetGo
        # The next one may be here already, and one after it: who sends without a pause must not keep others waiting.
        gevent.sleep(0)

    def answered(self, req: Any, sock: Any, addr: Any) -> bool:
        handle = shortcut.handler(req, self._origins) if self._takes_shortcut else None
        if handle is None:
            return False
        self.cfg.pre_request(self, req)
        shortcut.serve(self.flask.wsgi_app, handle, environ(req, sock, addr, self), req, sock, self)
        return True

    def waiting_for_request(self) -> "_Idle":
        return _Idle(self)

    def waiting_for_body(self) -> AbstractContextManager[None]:
        return self._connections.unfinished(gevent.getcurrent())

    def answering(self, size: int) -> None:
        self._connections.unsent(gevent.getcurrent(), size)

    def waits(self, greenlet: Any) -> None:
        """This connection may be ended until `goes_on`."""
        if not self.alive and greenlet not in self._connections.new:
            raise PeerWentAway  # The answer before was the last on this connection.
        self._connections.waits(greenlet)
        if not self.alive:
            # It was let in after the others were told.
            gevent.spawn_later(FIRST_REQUEST_S, self._end_idle_soon)

    def goes_on(self, greenlet: Any) -> None:
        self._connections.goes_on(greenlet)

    def _sweep(self) -> None:
        """End what has been idle for as long as gunicorn's `keepalive` says. A timer for each would cost more."""
        while self.alive:
            gevent.sleep(SWEEP_S)
            before_s = time.monotonic() - self.cfg.keepalive
            gevent_ties.run_in_loop(self._connections.end_idle, None, before_s)

    def _drain(self) -> None:
        self.parts.hub.drain()
        gevent_ties.run_in_loop(self._connections.end_idle, set(self._connections.new))
        gevent.sleep(FIRST_REQUEST_S)
        self._end_idle_soon()

    def _end_idle_soon(self) -> None:
        gevent_ties.run_in_loop(self._connections.end_idle)


class _Idle:
    """The context of a connection that waits for its next request."""

    __slots__ = ("_greenlet", "_worker")

    def __init__(self, worker: ChatWorker) -> None:
        self._worker = worker
        self._greenlet = gevent.getcurrent()

    def __enter__(self) -> None:
        self._worker.waits(self._greenlet)

    def __exit__(self, *_: object) -> None:
        self._worker.goes_on(self._greenlet)


def _set_up(client: Any) -> None:
    """Bound what the kernel holds for a peer, and for how long; a unix socket has no peer that can be lost."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    if client.family == socket.AF_UNIX:
        return
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(WRITE_TIMEOUT_S * 1000))


def _linger(client: Any) -> None:
    """Let the peer read its answer: closing a socket with input unread resets the connection, and takes the answer."""
    deadline_s = time.monotonic() + LINGER_S
    left = LINGER_MAX_BYTES
    with suppress(OSError):
        client.shutdown(socket.SHUT_WR)
        while left > 0 and (rest_s := deadline_s - time.monotonic()) > 0:
            client.settimeout(rest_s)
            piece = client.recv(left)
            if not piece:
                return
            left -= len(piece)
