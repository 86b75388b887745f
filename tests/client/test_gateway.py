"""Somebody who answers in the service's place, in JSON too: that is no answer, and what is to be sent still waits."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer

import pytest

from chatapp.client import Away
from chatapp.client import asking
from chatapp.client.problem import Problem
from tests.client.conftest import Connect
from tests.support.processes import wait_until

REFUSAL = {"code": "no_route", "status": 404, "message": "no such service"}


class Gateway(ThreadingHTTPServer):
    """Gives every request the same answer, and counts them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 200
        self.document: object = {}
        self.asked = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Gateway

    def do_GET(self) -> None:
        self.server.asked += 1
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        content = json.dumps(self.server.document).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as gateway:
        threading.Thread(target=gateway.serve_forever, daemon=True).start()
        yield gateway
        gateway.shutdown()


@pytest.mark.parametrize(
    ("status", "document"), [(200, {"ok": True}), (200, {"user": "nobody"}), (200, []), (404, REFUSAL), (401, REFUSAL)]
)
def test_its_json_is_no_answer(
    connect: Connect, gateway: Gateway, status: int, document: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.status, gateway.document = status, document
    monkeypatch.setattr(asking, "PATIENCE_S", 0.5)
    client = connect(gateway.url, name="Ada")
    sending = client.send("general", "waits")
    with pytest.raises(Away, match="is the URL right"):
        client.rooms()
    asked = gateway.asked
    # The outbox has not stopped.
    wait_until(lambda: gateway.asked > asked + 1)
    assert (sending.state, sending.stopped) == ("sending", None)


@pytest.mark.parametrize("errors", [["a list"], "words", {"body": "words"}, {"body": [1]}, None])
def test_errors_of_another_shape_do_not_hide_the_rest(errors: object) -> None:
    problem = Problem.of({"code": "invalid_message", "status": 422, "detail": "No.", "errors": errors})
    assert str(problem) in ("invalid_message: No.", "invalid_message: body: 1")
