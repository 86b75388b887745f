"""One request of the hot routes and its answer, on gunicorn's connection, without gunicorn's own WSGI machinery.

Building the whole environ, checking each header of the answer and writing head and body apart takes gunicorn as long as
a whole poll. Every other request goes that way.
"""

import logging
from collections.abc import Iterable
from typing import Any

from chatapp.server.gunicorn_ties import PROTOCOLS
from chatapp.server.gunicorn_ties import App
from chatapp.server.gunicorn_ties import LetGo
from chatapp.server.gunicorn_ties import TakenOver
from chatapp.server.gunicorn_ties import TiedWorker
from chatapp.web import HandedOver
from chatapp.web import hot_routes
from chatapp.web import response_head

log = logging.getLogger(__name__)


def handler(req: Any, origins: tuple[str, ...]) -> hot_routes.Handler | None:
    """Who answers this request by the shortcut, if it can be taken."""
    found = hot_routes.handler(req.method, req.path)
    if found is None or req.version not in PROTOCOLS:
        return None
    # gunicorn answers the one, and Flask-CORS the other.
    foreign = any(name == "EXPECT" or (origins and name == "ORIGIN") for name, _ in req.headers)
    return None if foreign else found


def serve(app: App, handle: hot_routes.Handler, asked: dict[str, Any], req: Any, sock: Any, worker: TiedWorker) -> None:
    """Answer one request, `asked` as WSGI has it. Raises LetGo when the connection is not to be used again."""
    status, headers = "", []

    def start_response(status_: str, headers_: list[tuple[str, str]], exc_info: Any = None) -> None:
        nonlocal status, headers
        status, headers = status_, headers_

    asked[hot_routes.HANDLER] = handle
    try:
        body = app(asked, start_response)
    except HandedOver:
        raise TakenOver from None
    if any(name == "Content-Length" for name, _ in headers):
        _whole(sock, req, status, headers, body, worker)
    else:
        # A stream ends with its connection.
        _stream(sock, response_head(status, headers, close=True), body)
        raise LetGo


def _whole(
    sock: Any, req: Any, status: str, headers: list[tuple[str, str]], body: Iterable[bytes], worker: TiedWorker
) -> None:
    try:
        close = req.should_close() or not worker.alive
        data = response_head(status, headers, close=close) + b"".join(body)
        worker.answering(len(data))
        _send(sock, data)
    finally:
        if hasattr(body, "close"):
            body.close()
    if close:
        raise LetGo


def _send(sock: Any, data: bytes) -> None:
    # Nearly always all of it fits, and gevent's sendall takes longer to find out.
    sent = sock.send(data)
    if sent < len(data):
        # Not a copy: for as long as the peer takes nothing, there would be two of it.
        sock.sendall(memoryview(data)[sent:])


def _stream(sock: Any, head: bytes, body: Iterable[bytes]) -> None:
    try:
        sock.sendall(head)
        for piece in body:
            sock.sendall(piece)
    except OSError:
        raise
    except Exception:
        # The answer has begun: another one behind it would be taken for a part of it.
        log.exception("a stream was cut")
    finally:
        if hasattr(body, "close"):
            body.close()
