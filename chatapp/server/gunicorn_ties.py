"""Everything that depends on more of gunicorn than its documentation promises.

What would break it, in a new version of gunicorn: a worker serves a connection by something else than `handle`, which
takes requests from a parser within `timeout_ctx` and calls `handle_request` for each; a StopIteration or NoMoreData out
of these does not end the connection without a word; settings are not looked up as attributes of `cfg`; a request has
other attributes than those that are read here; a body's reader does not say by `length` or `parser` what is left of it;
the environ does not have `gunicorn.socket`; `start_response` is not a method of the response; the log is not kept by
two standard loggers, `error_log` and `access_log`; the master does not keep its workers by their ids in `WORKERS`, or
what it listens on in `LISTENERS`.
"""

import logging
from collections.abc import Callable
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

from gunicorn import systemd
from gunicorn.glogging import Logger
from gunicorn.http.errors import NoMoreData
from gunicorn.workers.ggevent import GeventWorker

from chatapp.config import Config
from chatapp.receiving import SOCKET
from chatapp.server import log_lines
from chatapp.web import CLOSE
from chatapp.web import WAITING
from chatapp.web import HandedOver

App = Callable[[dict[str, Any], Any], Iterable[bytes]]

# The exit status of a worker that tells the master that no other one could load the application either.
APP_LOAD_ERROR = 4

PROTOCOLS = {(1, 0): "HTTP/1.0", (1, 1): "HTTP/1.1"}
_CONTENT = {"CONTENT-TYPE": "CONTENT_TYPE", "CONTENT-LENGTH": "CONTENT_LENGTH"}

# Thrown into a connection that waits for its next request, it looks like a peer that went away.
PeerWentAway = NoMoreData


class LetGo(StopIteration):
    """Ends a connection without another byte: gunicorn closes its own descriptor of it."""


class TakenOver(LetGo):
    """The socket has another owner now, who has a descriptor of its own."""


class TiedWorker(GeventWorker):  # type: ignore[misc]
    """gunicorn's gevent worker, with a name for each point at which `ChatWorker` takes part."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The application itself; `wsgi` is what gunicorn calls.
        self.flask: Any = None
        self.wsgi: Any = None
        self._names: dict[int, _Name] = {}

    def load_wsgi(self) -> None:
        super().load_wsgi()
        self.flask, self.wsgi = self.wsgi, tied(self.wsgi, self)

    def run(self) -> None:
        # gunicorn looks up each setting by two calls, some thirty for a request; plain attributes need none.
        self.cfg.__dict__.update({name: setting.get() for name, setting in self.cfg.settings.items()})
        super().run()

    def patch(self) -> None:
        super().patch()
        # A connection may be let in just before its listener is closed, and gunicorn asks for the name after that.
        self._names = {id(listener): _Name(listener.getsockname()) for listener in self.sockets}

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        super().handle(self._names[id(listener)], client, addr)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> Any:
        if not self.answered(req, sock, addr):
            super().handle_request(listener_name, req, sock, addr)

    def timeout_ctx(self) -> AbstractContextManager[None]:
        return self.waiting_for_request()

    def answered(self, req: Any, sock: Any, addr: Any) -> bool:
        """Whether this request was answered here. Raises LetGo when the connection is not to be used again."""
        raise NotImplementedError

    def waiting_for_request(self) -> AbstractContextManager[None]:
        """Around the wait for the next request."""
        raise NotImplementedError

    def waiting_for_body(self) -> AbstractContextManager[None]:
        """Around the wait for a request's body."""
        raise NotImplementedError

    def answering(self, size: int) -> None:
        """An answer of this many bytes is about to be written; it is when `handle_request` returns."""
        raise NotImplementedError

    @property
    def plain(self) -> bool:
        """Whether nothing is set that gunicorn alone knows how to do: access log, TLS, the proxy protocol."""
        return not (self.cfg.accesslog or self.cfg.is_ssl or self.cfg.proxy_protocol != "off")


class _Name:
    """The part of a listener that gunicorn asks for."""

    def __init__(self, name: Any) -> None:
        self._name = name

    def getsockname(self) -> Any:
        return self._name


def tied(app: App, worker: TiedWorker) -> App:
    """The application as gunicorn calls it: with what it may ask of the server, and an end for what was handed over."""

    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ[SOCKET] = environ["gunicorn.socket"]
        environ[WAITING] = worker.waiting_for_body
        environ[CLOSE] = start_response.__self__.force_close

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            for name, value in headers:
                if name == "Content-Length":
                    worker.answering(int(value))
            return start_response(status, headers, exc_info)

        try:
            return app(environ, start)
        except HandedOver:
            raise TakenOver from None

    return call


def environ(req: Any, sock: Any, addr: Any, worker: TiedWorker) -> dict[str, Any]:
    """The part of PEP 3333's environ that the hot routes need. gunicorn's own takes as long as a whole poll."""
    found = {
        "REQUEST_METHOD": req.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": req.path,
        "QUERY_STRING": req.query,
        "SERVER_PROTOCOL": PROTOCOLS[req.version],
        "REMOTE_ADDR": addr[0] if isinstance(addr, tuple) else "",
        "SERVER_NAME": "",
        "SERVER_PORT": "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": req.scheme,
        "wsgi.input": req.body,
        SOCKET: sock,
        WAITING: worker.waiting_for_body,
        CLOSE: req.force_close,
    }
    for name, value in req.headers:
        key = _CONTENT.get(name) or "HTTP_" + name.replace("-", "_")
        found[key] = f"{found[key]},{value}" if key in found else value
    return found


def unread(req: Any) -> bool:
    """Whether a part of the request's body was not read."""
    reader = req.body.reader
    return bool(getattr(reader, "length", 0)) or getattr(reader, "parser", None) is not None


def body_length(req: Any) -> int | None:
    """How many bytes the body is said to have; None for one that comes in pieces."""
    for name, value in req.headers:
        if name == "TRANSFER-ENCODING":
            return None
        if name == "CONTENT-LENGTH":
            return int(value)
    return 0


class Log(Logger):  # type: ignore[misc]
    """gunicorn's log, each of whose records is written as ours are, from the first one on."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        log_lines.install([*self.error_log.handlers, *self.access_log.handlers], Config.from_environ().log_format)


def stream_handlers(log: Any) -> list[logging.StreamHandler[Any]]:
    """Those of its error log that write to a file, a terminal or a pipe."""
    return [one for one in log.error_log.handlers if isinstance(one, logging.StreamHandler)]


def close_after(req: Any) -> None:
    """Have the connection end after the answer to this request."""
    req.force_close()


def listening_for_us() -> bool:
    """Whether systemd listens already and hands its sockets over."""
    return bool(systemd.listen_fds(unset_environment=False))


def listening(server: Any) -> list[Any]:
    """The addresses that the master listens on, as the kernel has them."""
    return [listener.getsockname() for listener in server.LISTENERS]


def worker_pids(server: Any) -> list[int]:
    """The processes of the master's workers."""
    return list(server.WORKERS)
