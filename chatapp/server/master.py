"""What gunicorn's master does around its workers: the embedded Redis, the database's schema, warnings."""

import errno
import fcntl
import gc
import logging
import os
import socket
import sys
import time
import traceback
from importlib.util import find_spec
from pathlib import Path
from typing import IO
from typing import Any
from typing import NoReturn

from chatapp import prometheus_client_ties
from chatapp.config import Config
from chatapp.config import ConfigError
from chatapp.errors import RedisAway
from chatapp.errors import RedisClustered
from chatapp.runtime import file_limit
from chatapp.runtime import gevent_ties
from chatapp.runtime import locked
from chatapp.server import data_lock
from chatapp.server import gunicorn_ties
from chatapp.server import metrics_files
from chatapp.server import private_files
from chatapp.server import schema
from chatapp.server import sentry
from chatapp.server import tracing
from chatapp.server.demo_process import DemoProcess
from chatapp.server.demo_process import target
from chatapp.server.embedded_redis import EmbeddedRedis
from chatapp.server.embedded_redis import EmbeddedRedisError
from chatapp.server.gunicorn_ties import APP_LOAD_ERROR
from chatapp.storage import COMMAND_TIMEOUT_S
from chatapp.storage import Client
from chatapp.storage import probe
from chatapp.web import body_max_bytes

# The workers of a master that was killed need a second to notice, and hold the address until then.
ADDRESS_WAIT_S = 5.0
POLL_S = 0.1

_redis: EmbeddedRedis | None = None
_demo: DemoProcess | None = None
_locks: list[IO[str]] = []
_configured = False


def configured() -> None:
    """gunicorn.conf.py says that it was read. The workers inherit it."""
    global _configured
    _configured = True


def check_configured(root: Path) -> None:
    """End this process unless gunicorn.conf.py was read: without it nothing that the application needs is started."""
    if _configured:
        return
    program = Path(sys.executable).parent / "gunicorn"
    print(
        f"chatapp: gunicorn.conf.py was not read: start with cd {root} && {program} wsgi:app",
        file=sys.stderr,
        flush=True,
    )
    # gunicorn's master ends on this status, every other server on any.
    sys.exit(APP_LOAD_ERROR)


def on_starting(server: Any) -> None:
    """Before the first worker: everything that there must be one of."""
    global _redis
    config = Config.from_environ()
    if config.workers > 1 and config.sqlite_path is not None:
        server.log.warning("SQLite with %d workers: fit for trying; use PostgreSQL for more than one", config.workers)
    if config.stream_places < config.max_connections:
        server.log.warning(
            "CHATAPP_MAX_CONNECTIONS: the file limit of %d leaves room for %d", file_limit(), config.stream_places
        )
    private_files.close(config)
    try:
        _check_extra("SENTRY_DSN", config.sentry_dsn, sentry.LIBRARY, sentry.EXTRA)
        _check_extra("OTEL_EXPORTER_OTLP_ENDPOINT", config.otlp_endpoint, tracing.LIBRARY, tracing.EXTRA)
        _check_addresses(server.cfg.address)
        if config.sqlite_path is not None:
            # Two services on one database with a Redis each would not hear of each other's messages.
            _locks.append(data_lock.hold(Path(f"{config.sqlite_path}.lock"), "DATABASE_URL or CHATAPP_DATA"))
        if config.embedded_redis:
            _locks.append(data_lock.hold(config.data / "redis.lock", "CHATAPP_DATA"))
            _redis = EmbeddedRedis(config.data, config.redis_socket, logging.getLogger("gunicorn.error"))
            _redis.start()
    except (ConfigError, EmbeddedRedisError) as error:
        sys.exit(f"chatapp: {error}")
    _upgrade_database(config)
    # What is loaded by now stays to the end, which looks at all of it once more: half a second for each stop.
    gc.freeze()


def _refuse_cluster(url: str) -> None:
    """Raises ConfigError. A Redis that does not answer may come later."""
    client = Client(url, "start", COMMAND_TIMEOUT_S, 1, away_s=0.0)
    try:
        client.call(probe)
    except RedisClustered as error:
        raise ConfigError(f"REDIS_URL: {error}") from None
    except RedisAway:
        pass
    finally:
        client.close()


def _check_extra(setting: str, value: str | None, library: str, extra: str) -> None:
    """Raises ConfigError where a library is wanted that does not come with the service."""
    try:
        found = value is None or find_spec(library) is not None
    except ModuleNotFoundError:
        found = False
    if not found:
        raise ConfigError(f"{setting}: is set, and {library} is not installed: pip install 'chatapp[{extra}]'")


def when_ready(server: Any) -> None:
    for address in server.cfg.address:
        server.log.info("chat at %s", _shown(address))
    _offer_demo(server)


def child_exit(server: Any, worker: Any) -> None:
    """After a worker is gone, however it went: what it has counted stays."""
    # The master has no loop, which its workers would inherit.
    with locked(metrics_files.folder(), fcntl.LOCK_EX, gevent_ties.original("time", "sleep")):
        prometheus_client_ties.bury(metrics_files.folder(), worker.pid)


def on_exit(server: Any) -> None:
    metrics_files.remove()
    if _demo is not None:
        _demo.stop()
    if _redis is not None:
        _redis.stop()


def _offer_demo(server: Any) -> None:
    """Only now is it known where the service is found, whatever the settings say."""
    global _demo
    config = Config.from_environ()
    found = target(gunicorn_ties.listening(server))
    if config.demo and found is not None:
        log = logging.getLogger("gunicorn.error")
        _demo = DemoProcess(config.demo_socket, found, lambda: gunicorn_ties.worker_pids(server), log)
        _demo.start()


def _shown(address: Any) -> str:
    if not isinstance(address, tuple):
        return f"unix:{address}"
    host, port = address[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _check_addresses(addresses: list[Any]) -> None:
    """Say at once, and by the setting's name, what gunicorn finds out after everything else is started."""
    if gunicorn_ties.listening_for_us():
        return
    for address in addresses:
        if isinstance(address, tuple):
            _check_address(*address)


def _check_address(host: str, port: int) -> None:
    deadline_s = time.monotonic() + ADDRESS_WAIT_S
    while True:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
                return
            except OSError as error:
                if error.errno != errno.EADDRINUSE or time.monotonic() > deadline_s:
                    raise ConfigError(f"HOST, PORT: cannot listen on {host}:{port}: {error.strerror}") from None
        time.sleep(POLL_S)


def pre_request(worker: Any, req: Any) -> None:
    """A body that no route takes is not read only to keep the connection: answer and close."""
    length = gunicorn_ties.body_length(req)
    if length is None or length > body_max_bytes(req.path):
        gunicorn_ties.close_after(req)


def _upgrade_database(config: Config) -> None:
    """In a process of its own, so that no connection is open in the master when it forks, and no loop runs in it: a
    copy of one waits for threads that are not there.

    It is a copy of this one: to load the service once more would double the time of a start.
    """
    pid = gevent_ties.original("os", "fork")()
    if not pid:
        _upgrade_and_end(config)
    _, status = gevent_ties.original("os", "waitpid")(pid, 0)
    if status:
        if _redis is not None:
            _redis.stop()
        sys.exit(1)


def _upgrade_and_end(config: Config) -> NoReturn:
    """Nothing of the master's may run at the end of its copy, whatever happens."""
    failed = 1
    try:
        if not config.embedded_redis:
            _refuse_cluster(config.redis_url)
        schema.upgrade(config)
        failed = 0
    except ConfigError as error:
        print(f"chatapp: {error}", file=sys.stderr, flush=True)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(failed)
