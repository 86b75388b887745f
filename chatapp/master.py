"""What gunicorn's master does around its workers: the embedded Redis, the database's schema, warnings."""

import logging
import subprocess
import sys
from typing import Any

from chatapp.config import Config
from chatapp.embedded_redis import EmbeddedRedis
from chatapp.embedded_redis import EmbeddedRedisError

# Beyond what any route takes, the rest of a body is not worth reading to keep the connection.
DISCARD_MAX_BYTES = 16 * 1024 * 1024

_redis: EmbeddedRedis | None = None


def on_starting(server: Any) -> None:
    """Before the first worker: everything that there must be one of."""
    global _redis
    config = Config.from_environ()
    log = server.log
    if config.workers > 1 and config.sqlite_path is not None:
        log.warning("SQLite with %d workers: fit for trying; use PostgreSQL for more than one", config.workers)
    if config.embedded_redis:
        try:
            _redis = EmbeddedRedis(config.data, config.redis_socket, logging.getLogger("gunicorn.error"))
            _redis.start()
        except EmbeddedRedisError as error:
            sys.exit(f"chatapp: {error}")
    _upgrade_database()
    log.info("chat at http://%s:%s/", config.host, config.port)


def on_exit(server: Any) -> None:
    if _redis is not None:
        _redis.stop()


def pre_request(worker: Any, req: Any) -> None:
    """Do not read gigabytes only to refuse them: answer and close."""
    length = dict(req.headers).get("CONTENT-LENGTH", "")
    if length.isdigit() and int(length) > DISCARD_MAX_BYTES:
        req.force_close()


def _upgrade_database() -> None:
    """In a process of its own, so that no connection is open in the master when it forks."""
    done = subprocess.run([sys.executable, "-m", "chatapp", "upgrade"], check=False)
    if done.returncode:
        if _redis is not None:
            _redis.stop()
        sys.exit(done.returncode)
