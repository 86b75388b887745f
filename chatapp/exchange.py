"""`Exchange`: one request and its answer on gunicorn's connection, without gunicorn's own WSGI machinery.

It serves what `Direct` answers. Building the whole environ, checking each header of the answer and writing head and
body apart takes gunicorn as long as all of a poll; every other request goes that way.
"""

import logging
from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

from chatapp.answer import response_head
from chatapp.api import direct

log = logging.getLogger(__name__)

_PROTOCOLS = {(1, 0): "HTTP/1.0", (1, 1): "HTTP/1.1"}
_CONTENT = {"CONTENT-TYPE": "CONTENT_TYPE", "CONTENT-LENGTH": "CONTENT_LENGTH"}


def takes(req: Any, origins: tuple[str, ...]) -> bool:
    """Whether this is a request for `Direct`, of a protocol that is known here."""
    if direct.handler(req.method, req.path) is None or req.version not in _PROTOCOLS:
        return False
    # gunicorn answers the one, and Flask-CORS the other.
    return not any(name == "EXPECT" or (origins and name == "ORIGIN") for name, _ in req.headers)


def serve(app: Callable[..., Iterable[bytes]], req: Any, sock: Any, addr: Any, goes_on: Callable[[], bool]) -> None:
    """Answer one request. Raises StopIteration when the connection is not to be used again; `goes_on` says whether
    the worker does, when the answer is there."""
    status, headers = "", []

    def start_response(status_: str, headers_: list[tuple[str, str]], exc_info: Any = None) -> None:
        nonlocal status, headers
        status, headers = status_, headers_

    body = app(environ(req, sock, addr), start_response)
    if any(name == "Content-Length" for name, _ in headers):
        close = req.should_close() or not goes_on()
        _send(sock, response_head(status, headers, close=close) + b"".join(body))
    else:
        # A stream ends with its connection.
        close = True
        try:
            sock.sendall(response_head(status, headers, close=True))
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
    if close:
        raise StopIteration


def _send(sock: Any, data: bytes) -> None:
    # Nearly always all of it fits, and gevent's sendall takes longer to find out.
    sent = sock.send(data)
    if sent < len(data):
        sock.sendall(data[sent:])


def environ(req: Any, sock: Any, addr: Any) -> dict[str, Any]:
    """What of PEP 3333's environ is needed there."""
    found = {
        "REQUEST_METHOD": req.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": req.path,
        "QUERY_STRING": req.query,
        "SERVER_PROTOCOL": _PROTOCOLS[req.version],
        "REMOTE_ADDR": addr[0] if isinstance(addr, tuple) else str(addr),
        "SERVER_NAME": "",
        "SERVER_PORT": "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": req.scheme,
        "wsgi.input": req.body,
        "gunicorn.socket": sock,
    }
    for name, value in req.headers:
        key = _CONTENT.get(name) or "HTTP_" + name.replace("-", "_")
        found[key] = f"{found[key]},{value}" if key in found else value
    return found
