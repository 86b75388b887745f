"""The log as an operator and their programs read it: what was asked and answered, and nothing of what people said."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from chatapp.config import ConfigError
from chatapp.server import master
from tests.conftest import Start
from tests.support.person import Person
from tests.support.processes import answers
from tests.support.processes import free_port
from tests.support.processes import wait_until
from tests.support.service import ROOT
from tests.support.service import WIDE
from tests.support.service import Service

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.fixture(scope="module", params=["detached", "portable"])
def quick(request: pytest.FixtureRequest, start_service: Start) -> Service:
    """Its streams are short."""
    return start_service("sqlite", CHATAPP_CARRIER=request.param, CHATAPP_STREAM_SECONDS="0.5")


def lines(service: Service) -> list[dict[str, Any]]:
    """Every line of its log, each of which is JSON."""
    return [json.loads(line) for line in service.log().splitlines()]


def line(service: Service, **expected: Any) -> dict[str, Any]:
    """The one line that says this, once it is written."""

    def found() -> list[dict[str, Any]]:
        return [one for one in lines(service) if expected.items() <= one.items()]

    wait_until(found, 20, f"{expected} in the log")
    [one] = found()
    return one


def test_each_request_is_a_line(quick: Service) -> None:
    with Person(quick.url, "Zaphod") as zaphod:
        room = zaphod.create_room()
        headers = {"X-Request-ID": "7d1f:of/the+proxy=1", "traceparent": PARENT}
        body = {"localId": "logged-0001", "body": "a secret between us"}
        answer = zaphod.http.post(f"/rooms/{room}/messages", json=body, headers=headers)
        assert answer.headers["X-Request-ID"] == headers["X-Request-ID"]
        found = line(quick, requestId=headers["X-Request-ID"])
        assert found.pop("time") < found.pop("time", "9")
        assert 0 < found.pop("seconds") < 10
        del found["pid"]
        assert found == {
            "level": "info",
            "logger": "chatapp.web.request_log",
            "message": "request",
            "method": "POST",
            "route": "/api/v1/rooms/{room}/messages",
            "status": 201,
            "bytes": int(answer.headers["Content-Length"]),
            "requestId": headers["X-Request-ID"],
            "traceId": TRACE,
        }
        # By Flask, by the files of the page, and by nobody.
        for path, route, status in (
            (f"/api/v1/rooms/{room}", "/api/v1/rooms/{room}", 200),
            ("/static/000000000000/page.css", "/static/{file}", 200),
            (f"/{room}/nowhere", None, 404),
        ):
            id_ = zaphod.http.get(f"{quick.url}{path}").headers["X-Request-ID"]
            assert (line(quick, requestId=id_)["route"], line(quick, requestId=id_)["status"]) == (route, status)
        for said in (zaphod.name, zaphod.id, zaphod.token, room, "secret"):
            assert said not in quick.log()


@pytest.mark.parametrize("given", ["", "two, of them", "é", "x" * 129, "<script>"])
def test_an_id_that_could_not_stand_in_a_log_is_passed_over(quick: Service, given: str) -> None:
    headers = {b"X-Request-ID": given.encode(), b"traceparent": given.encode()}
    id_ = httpx.get(f"{quick.url}/api/v1/session", headers=headers).headers["X-Request-ID"]
    assert id_ != given
    assert "traceId" not in line(quick, requestId=id_, status=401)


def test_probes_that_are_well_are_no_lines(quick: Service) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert httpx.get(f"{quick.url}{path}").headers["X-Request-ID"]
    id_ = httpx.get(f"{quick.url}/metrics", headers={"Via": "1.1 another"}).headers["X-Request-ID"]
    line(quick, requestId=id_, route="/metrics", status=403)
    assert [one for one in lines(quick) if one.get("route") in ("/healthz", "/readyz")] == []


def test_the_end_of_a_stream_is_a_line(quick: Service) -> None:
    with Person(quick.url, "Ada") as ada:
        room = ada.create_room()
        stream = httpx.stream(
            "GET",
            f"{quick.url}/api/v1/events/stream",
            params={"since": ada.cursor()},
            headers={"Authorization": f"Bearer {ada.token}", "X-Request-ID": f"of-{room}", "traceparent": PARENT},
        )
        with stream as answer:
            ada.send(room, "one")
            ada.send(room, "two")
            body = answer.read()
        found = line(quick, message="stream over", requestId=f"of-{room}")
        assert (found["reason"], found["traceId"]) == ("rotate", TRACE)
        own = sum(body.count(b"event: " + type_) for type_ in (b"ready", b"heartbeat", b"closing"))
        assert found["events"] == body.count(b"event: ") - own >= 2
        # The head belongs to it where the stream has left its request.
        assert len(body) <= found["bytes"] < len(body) + 2000
        assert 0.3 < found["seconds"] < 5
        assert [one for one in lines(quick) if one.get("requestId") == f"of-{room}"] == [found]


def test_the_end_of_polling_is_a_line(quick: Service) -> None:
    with Person(quick.url, "Bob") as bob:
        headers = {"X-Request-ID": f"first-of-{bob.id}"}
        cursor = bob.http.get("/events/poll", headers=headers).json()["cursor"]
        bob.send("general", "one")
        second = bob.http.get("/events/poll", params={"since": cursor})
        query = {"since": second.json()["cursor"], "wait": 20}
        with ThreadPoolExecutor() as pool:
            held = pool.submit(bob.http.get, "/events/poll", params=query)
            wait_until(lambda: 'chat_connections{transport="poll"} 1.0' in metrics(quick), what="a poll that is held")
            assert bob.http.delete("/session").status_code == 204
            assert held.result().status_code == 200
        told = line(quick, message="polling over", requestId=f"first-of-{bob.id}")
        assert (told["reason"], told["polls"]) == ("signed_out", 3)
        assert told["events"] == sum(len(one.json()["events"]) for one in (second, held.result()))
        assert told["bytes"] >= len(second.content) + len(held.result().content)


def metrics(service: Service) -> str:
    return httpx.get(f"{service.url}/metrics").text


def test_as_text_a_request_is_a_line_too(start_service: Start) -> None:
    service = start_service("sqlite", LOG_FORMAT="text")
    id_ = httpx.get(f"{service.url}/api/v1/session").headers["X-Request-ID"]
    wait_until(lambda: f"requestId={id_}" in service.log(), what="the line")
    [found] = [one for one in service.log().splitlines() if id_ in one]
    assert "] [INFO] request method=GET route=/api/v1/session status=401 seconds=0.0" in found


def test_a_log_that_nobody_reads_stops_nobody(tmp_path: Path) -> None:
    port = free_port()
    command = [str(Path(sys.executable).parent / "gunicorn"), "wsgi:app"]
    env = {"PATH": os.environ["PATH"], **WIDE, "CHATAPP_DATA": str(tmp_path), "PORT": str(port)}
    process = subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.PIPE)
    try:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/readyz"), what="the service")
        assert process.stderr is not None
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            # Three times what the pipe takes.
            for _ in range(1500):
                assert client.get("/api/v1/session").status_code == 401
        process.terminate()
        assert process.stderr.read().count(b'"status":401') > 300
    finally:
        process.kill()
        process.wait()
        process.stderr and process.stderr.close()


class Collector(ThreadingHTTPServer):
    """Takes what it is sent, as Sentry and an OpenTelemetry collector do."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Take)
        self.taken: list[tuple[str, bytes]] = []
        self.address = f"127.0.0.1:{self.server_port}"


class _Take(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Collector)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_spans_go_to_open_telemetry(start_service: Start, collector: Collector) -> None:
    endpoint = f"http://{collector.address}"
    service = start_service("sqlite", OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_BSP_SCHEDULE_DELAY="100")
    httpx.get(f"{service.url}/api/v1/rooms/somewhere", headers={"traceparent": PARENT, "X-Request-ID": "traced"})

    def spans() -> list[Any]:
        exported = [ExportTraceServiceRequest.FromString(body) for path, body in collector.taken if "traces" in path]
        return [span for one in exported for of in one.resource_spans for in_ in of.scope_spans for span in in_.spans]

    wait_until(lambda: [one for one in spans() if one.trace_id.hex() == TRACE], what="a span")
    [span] = [one for one in spans() if one.trace_id.hex() == TRACE]
    assert span.name == "GET /api/v1/rooms/{room}"
    assert span.parent_span_id.hex() == "00f067aa0ba902b7"
    assert {"traced", "/api/v1/rooms/{room}"} <= {one.value.string_value for one in span.attributes}
    assert b"somewhere" not in b"".join(body for _, body in collector.taken)


DEFECT = """
import gevent.monkey
gevent.monkey.patch_all()
import logging, os, sentry_sdk
from chatapp.config import Config
from chatapp.server import sentry
sentry.start(Config.from_environ())
def fail(body):
    raise LookupError("a defect")
try:
    fail("what somebody said")
except LookupError as error:
    logging.getLogger("chatapp.web.problems").error("GET /x failed", exc_info=error)
sentry_sdk.flush(5)
"""


def test_defects_go_to_sentry_without_what_was_said(tmp_path: Path, collector: Collector) -> None:
    env = {**os.environ, "CHATAPP_DATA": str(tmp_path), "SENTRY_DSN": f"http://key@{collector.address}/7"}
    subprocess.run([sys.executable, "-c", DEFECT], env=env, check=True, cwd=ROOT)
    [(path, body)] = [one for one in collector.taken if b"LookupError" in one[1] or one[1][:2] == b"\x1f\x8b"]
    assert path == "/api/7/envelope/"
    text = _unpacked(body)
    assert b"LookupError" in text
    assert b"GET /x failed" in text
    assert b"what somebody said" not in text.replace(b'fail(\\"what somebody said\\")', b"")


def _unpacked(body: bytes) -> bytes:
    import gzip

    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


def test_what_is_wanted_and_not_installed_is_said() -> None:
    with pytest.raises(ConfigError, match=r"^SENTRY_DSN: .* pip install 'chatapp\[sentry\]'$"):
        master._check_extra("SENTRY_DSN", "https://key@host/1", "not_installed.sdk", "sentry")
    master._check_extra("SENTRY_DSN", None, "not_installed", "sentry")


@pytest.mark.parametrize("name", ["SENTRY_DSN", "OTEL_EXPORTER_OTLP_ENDPOINT"])
def test_a_wrong_address_is_said(name: str, tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "CHATAPP_DATA": str(tmp_path), name: "ftp://somewhere"}
    command = [sys.executable, "-m", "chatapp", "check"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 1
    assert done.stdout.split() == ["error", name, *["is", "not", "a", "URL", "of", "http", "or", "https"]]
