"""What the service uses of libraries beyond their documentation is still as it expects, and has an upper bound."""

import re
import socket
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from typing import ClassVar

import gevent
import psycopg
import pytest
from gevent.server import StreamServer
from gunicorn.config import Config as GunicornConfig
from gunicorn.http import get_parser
from gunicorn.http.errors import NoMoreData
from gunicorn.workers.ggevent import GeventWorker
from marshmallow import Schema
from marshmallow import ValidationError
from marshmallow import fields
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from sqlalchemy import Column
from sqlalchemy import DateTime
from sqlalchemy import Integer
from sqlalchemy import MetaData
from sqlalchemy import String
from sqlalchemy import Table
from sqlalchemy import bindparam
from sqlalchemy import create_engine
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.exc import OperationalError

from chatapp import prometheus_client_ties
from chatapp.receiving import SOCKET
from chatapp.runtime import gevent_ties
from chatapp.runtime import utc_now
from chatapp.server import gunicorn_ties
from chatapp.storage import psycopg_ties
from chatapp.storage import redis_ties
from chatapp.storage import sqlalchemy_ties
from chatapp.storage.redis_pool_ties import redis_pool
from chatapp.web import CLOSE
from chatapp.web import HandedOver
from chatapp.wire import marshmallow_ties
from tests.support.postgres import Postgres
from tests.support.redis_server import RedisServer
from tests.support.service import ROOT

TIED = ("gunicorn", "gevent", "sqlalchemy", "psycopg", "redis", "marshmallow", "prometheus-client")


@pytest.mark.parametrize("library", TIED)
def test_a_tied_library_has_an_upper_bound(library: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    [wanted] = [one for one in project["dependencies"] if re.match(rf"{library}(\[|>|<|=)", one)]
    assert re.search(r"<\d", wanted), wanted


@pytest.mark.parametrize("library", TIED)
def test_each_library_has_its_file(library: str) -> None:
    [file] = (ROOT / "chatapp").rglob(f"{library.replace('-', '_')}_ties.py")
    assert "What would break it" in file.read_text()


# gevent


def test_gevent_the_loop_calls_what_it_is_given() -> None:
    called: list[str] = []
    gevent_ties.run_in_loop(called.append, "by the loop")
    assert not called
    gevent.sleep(0)
    gevent.sleep(0)
    assert called == ["by the loop"]


def test_gevent_a_thread_wakes_the_loop() -> None:
    heard = gevent.event.Event()
    signal = gevent_ties.thread_signal(heard.set)
    gevent_ties.original("_thread", "start_new_thread")(signal.send, ())
    assert heard.wait(10)


def test_gevent_a_server_takes_so_many_at_once() -> None:
    before = StreamServer.max_accept
    try:
        gevent_ties.accept_at_most(3)
        assert StreamServer(("127.0.0.1", 0), lambda *_: None).max_accept == 3
    finally:
        gevent_ties.accept_at_most(before)


def test_gevent_knows_what_it_replaces() -> None:
    assert gevent_ties.original("queue", "SimpleQueue")().empty()
    gevent_ties.original("select", "epoll")().close()


# gunicorn


class Worker(gunicorn_ties.TiedWorker):
    """Answers by itself at one path, lets go at another, and leaves the rest to gunicorn."""

    answers: ClassVar[list[int]] = []

    def answered(self, req: Any, sock: Any, addr: Any) -> bool:
        if req.path == "/ours":
            found = gunicorn_ties.environ(req, sock, addr, self)
            sock.sendall(f"{found['REQUEST_METHOD']} {found['QUERY_STRING']} {found['HTTP_X_ONE']}\n".encode())
            raise gunicorn_ties.LetGo
        return False

    def waiting_for_request(self) -> Any:
        return gevent.Timeout(5, NoMoreData)

    def waiting_for_body(self) -> Any:
        return nullcontext()

    def answering(self, size: int) -> None:
        self.answers.append(size)


@pytest.fixture
def gunicorn_worker() -> Iterator[Worker]:
    config = GunicornConfig()
    config.set("errorlog", "/dev/null")
    log = config.logger_class(config)

    def handed_over(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"] == "/handed-over":
            environ[SOCKET].sendall(b"by its new owner\n")
            raise HandedOver
        if environ["PATH_INFO"] == "/last":
            environ[CLOSE]()
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    listener = socket.create_server(("127.0.0.1", 0))
    app = SimpleNamespace(wsgi=lambda: handed_over)
    worker = Worker(1, 1, [listener], app, 30, config, log)
    worker.alive = True
    worker._names = {id(listener): gunicorn_ties._Name(listener.getsockname())}
    worker.cfg.__dict__.update({name: setting.get() for name, setting in config.settings.items()})
    worker.nr, worker.max_requests = 0, 1000
    worker.load_wsgi()
    yield worker
    listener.close()
    worker.tmp.close()
    for handler in log.error_log.handlers:
        handler.close()


def exchange(worker: Worker, request: bytes) -> bytes:
    """What comes back until the worker closes the connection."""
    here, there = socket.socketpair()
    serving = threading.Thread(target=worker.handle, args=(worker.sockets[0], there, ("127.0.0.1", 1)))
    serving.start()
    here.settimeout(10)
    here.sendall(request)
    said = b""
    while piece := here.recv(65536):
        said += piece
    serving.join(10)
    assert not serving.is_alive()
    here.close()
    return said


def test_gunicorn_hands_requests_over_and_lets_go(gunicorn_worker: Worker) -> None:
    head = b" HTTP/1.1\r\nHost: here\r\nX-One: 1\r\n"
    assert exchange(gunicorn_worker, b"GET /ours?a=b" + head + b"\r\n") == b"GET a=b 1\n"
    assert exchange(gunicorn_worker, b"GET /handed-over" + head + b"\r\n") == b"by its new owner\n"
    answered = exchange(gunicorn_worker, b"GET /" + head + b"Connection: close\r\n\r\n")
    assert answered.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answered.endswith(b"\r\n\r\nok")


def test_gunicorn_a_request_can_be_made_the_last() -> None:
    here, there = socket.socketpair()
    with here, there:
        here.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        request = next(get_parser(GunicornConfig(), there, ("127.0.0.1", 1)))
        assert not request.should_close()
        gunicorn_ties.close_after(request)
        assert request.should_close()


def test_gunicorn_says_what_is_left_of_a_body() -> None:
    for head, length in ((b"Content-Length: 4", 4), (b"Transfer-Encoding: chunked", None)):
        here, there = socket.socketpair()
        with here, there:
            body = b"body" if length else b"4\r\nbody\r\n0\r\n\r\n"
            here.sendall(b"POST / HTTP/1.1\r\nHost: here\r\n" + head + b"\r\n\r\n" + body)
            request = next(get_parser(GunicornConfig(), there, ("127.0.0.1", 1)))
            assert gunicorn_ties.body_length(request) == length
            assert gunicorn_ties.unread(request)
            assert request.body.read() == b"body"
            assert not gunicorn_ties.unread(request)


def test_gunicorn_an_application_can_make_its_answer_the_last_and_says_how_long_it_is(gunicorn_worker: Worker) -> None:
    answered = exchange(gunicorn_worker, b"GET /last HTTP/1.1\r\nHost: here\r\n\r\n")
    assert b"Connection: close\r\n" in answered
    assert gunicorn_worker.answers[-1] == len(b"ok")


def test_gunicorn_has_the_points_that_the_worker_takes_part_at() -> None:
    for name in ("load_wsgi", "run", "patch", "handle", "handle_request", "timeout_ctx", "handle_exit", "handle_quit"):
        assert callable(getattr(GeventWorker, name))
    assert not gunicorn_ties.listening_for_us()


# SQLAlchemy

TABLE = Table("ties", MetaData(), Column("id", Integer, primary_key=True), Column("at", DateTime), Column("of", String))


def test_sqlalchemy_compiles_a_statement_for_the_driver() -> None:
    engine = create_engine("sqlite://", paramstyle="named")
    statement = insert(TABLE).values(id=bindparam("row"), at=bindparam("at"), of="always the same")
    text, fixed, convert = sqlalchemy_ties.compiled(statement, engine.dialect)
    assert ":row" in text
    assert list(fixed.values()) == ["always the same"]
    moment = utc_now().replace(tzinfo=None)
    assert convert["at"](moment) == moment.isoformat(" ", "microseconds")


def test_sqlalchemy_wraps_what_the_driver_raises(tmp_path: Any) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'ties.db'}", paramstyle="named")
    TABLE.metadata.create_all(engine)
    connection = engine.raw_connection()
    connection.cursor().execute("INSERT INTO ties (id) VALUES (1)")
    with pytest.raises(sqlalchemy_ties.driver_error(engine.dialect)) as twice:
        connection.cursor().execute("INSERT INTO ties (id) VALUES (1)")
    assert isinstance(sqlalchemy_ties.wrapped(twice.value, engine.dialect, connection), IntegrityError)
    connection.close()
    engine.dispose()


def test_sqlalchemy_knows_a_lost_connection(postgres: Postgres) -> None:
    engine = create_engine(postgres.database().replace("postgresql://", "postgresql+psycopg://"))
    connection = engine.raw_connection()
    driver: Any = connection.driver_connection
    driver.pgconn.finish()
    with pytest.raises(psycopg.OperationalError) as lost:
        driver.execute("SELECT 1")
    wrapped = sqlalchemy_ties.wrapped(lost.value, engine.dialect, driver)
    assert isinstance(wrapped, OperationalError)
    assert wrapped.connection_invalidated
    connection.invalidate()
    engine.dispose()


# psycopg


def test_psycopg_answers_each_of_many(postgres: Postgres) -> None:
    with psycopg.connect(postgres.database()) as connection:
        rows = psycopg_ties.ask_each(
            connection.cursor(), "SELECT n FROM generate_series(1, %(to)s::int) AS n", [{"to": n} for n in (2, 0, 1)]
        )
    assert rows == [[(1,), (2,)], [], [(1,)]]


def test_psycopg_waits_by_the_loop(postgres: Postgres) -> None:
    """What it waits for, large answers and large questions among it, and the end of the connection beneath it."""
    waited: list[int] = []

    def wait(gen: Any, fileno: int, interval: float = 0.0, timeout: float | None = None) -> Any:
        waited.append(fileno)
        return psycopg_ties._wait(gen, fileno, interval, timeout)

    before = psycopg.waiting.wait
    psycopg.waiting.wait = wait
    try:
        with psycopg.connect(postgres.database(), autocommit=True) as connection:
            long = "x" * 5_000_000
            assert connection.execute("SELECT pg_sleep(0.05), %s", [long]).fetchall() == [("", long)]
            ticks: list[int] = []
            other = gevent.spawn(lambda: ticks.append(1))
            connection.execute("SELECT pg_sleep(0.2)")
            # Somebody else's turn came meanwhile.
            assert other.dead
            assert ticks
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        silent = psycopg.connect(postgres.database())
        with gevent.Timeout(0.05, False):
            silent.execute("SELECT pg_sleep(30)")
        silent.close()
    finally:
        psycopg.waiting.wait = before
    assert waited


# redis-py


def test_redis_answers_and_is_asked_again_once(redis_server: RedisServer) -> None:
    pool = redis_pool(redis_server.url, most=2, timeout_s=5, connect_timeout_s=5)
    exchange = redis_ties.Exchange(pool)
    assert exchange.ask(("SET", "key", b"\xff"), again=False) == b"OK"
    assert exchange.ask(("GET", "key"), again=False) == b"\xff"
    with pytest.raises(ResponseError):
        exchange.ask(("LPUSH", "key", "x"), again=False)
    redis_server.client.client_kill_filter(_type="normal", skipme=True)
    with pytest.raises(RedisConnectionError):
        exchange.ask(("GET", "key"), again=False)
    assert exchange.ask(("GET", "key"), again=False) == b"\xff"
    redis_server.client.client_kill_filter(_type="normal", skipme=True)
    assert exchange.ask(("GET", "key"), again=True) == b"\xff"
    pool.disconnect()


# marshmallow


def test_marshmallow_keeps_what_validates_a_field() -> None:
    def check(value: str) -> None:
        if value != "right":
            raise ValidationError("wrong")

    class Document(Schema):
        word = fields.String(validate=check)

    field = Document().fields["word"]
    marshmallow_ties.validate(field, "right")
    with pytest.raises(ValidationError):
        marshmallow_ties.validate(field, "other")


COUNTS = """
import os, sys
os.environ["PROMETHEUS_MULTIPROC_DIR"] = sys.argv[1]
from prometheus_client import Counter, Gauge, Histogram
Counter("sent", "", ["how"]).labels("well").inc(int(sys.argv[2]))
Histogram("took", "", buckets=(1, 2)).observe(int(sys.argv[2]))
Gauge("open", "", multiprocess_mode="livesum").set(1)
print(os.getpid())
"""


FORKS = """
import os, sys
os.environ["PROMETHEUS_MULTIPROC_DIR"] = sys.argv[1]
from chatapp import prometheus_client_ties as ties
ties.count_in_one_greenlet()
from prometheus_client import Counter, Histogram
sent = Counter("sent", "", ["how"]).labels("well")
took = Histogram("took", "", buckets=(1, 2))
took.observe(1)
for _ in range(2):
    if not os.fork():
        ties.count_here(sent)
        sent.inc()
        sent.inc(2)
        took.observe(1.5)
        os._exit(0)
    os.wait()
"""


class _Nothing:
    def collect(self) -> list[Any]:
        return []


def test_processes_that_are_copies_count_in_files_of_their_own(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", FORKS, str(tmp_path)], check=True)
    said = prometheus_client_ties.text_of_all(tmp_path, _Nothing())
    assert b'sent_total{how="well"} 6.0' in said
    assert b"took_sum 4.0" in said
    assert len(list(tmp_path.glob("counter_*.db"))) == 3


def test_what_processes_counted_that_are_gone_is_added_up(tmp_path: Path) -> None:
    for amount in (2, 3, 4):
        command = [sys.executable, "-c", COUNTS, str(tmp_path), str(amount)]
        pid = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        before = prometheus_client_ties.text_of_all(tmp_path, _Nothing())
        assert b"open 1.0" in before
        prometheus_client_ties.bury(tmp_path, pid)
        after = prometheus_client_ties.text_of_all(tmp_path, _Nothing())
        assert sorted(line for line in before.splitlines() if b"open" not in line) == sorted(after.splitlines())
    assert b'sent_total{how="well"} 9.0' in after
    assert b"took_sum 9.0" in after
    assert {file.name for file in tmp_path.iterdir()} == {"counter_gone.db", "histogram_gone.db"}
