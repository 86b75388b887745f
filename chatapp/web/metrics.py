"""`GET /metrics`: what all workers of this master have counted, and how what they stand on is, for Prometheus."""

import fcntl
import hmac
import time
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

from flask import Blueprint
from flask import Response
from flask import request
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from chatapp import prometheus_client_ties
from chatapp.errors import Forbidden
from chatapp.errors import NotFound
from chatapp.errors import RedisAway
from chatapp.errors import Unauthenticated
from chatapp.errors import Unavailable
from chatapp.runtime import locked
from chatapp.services import Services
from chatapp.web.answers import NOT_KEPT
from chatapp.web.current import services

blueprint = Blueprint("metrics", __name__)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
DATABASE_UP = "Whether the database answers."
OUTBOX_ROWS = "Events that wait to be published; more than 10,000 are not counted."
# By which a proxy says that somebody else asks through it.
BY_PROXY = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")


@blueprint.get("/metrics")
def show() -> Response:
    """Raises Unauthenticated where there is a token, and Forbidden where there is none and it is not this machine."""
    parts = services()
    if parts.config.metrics_folder is None:
        # No master has made one: under another server than gunicorn nothing is added up.
        raise NotFound
    _admit(parts.config.metrics_token, request.environ)
    looked_up = LookedUp(parts)
    with locked(parts.config.metrics_folder, fcntl.LOCK_SH, time.sleep):
        text = prometheus_client_ties.text_of_all(parts.config.metrics_folder, looked_up)
    return Response(text, headers=[("Content-Type", CONTENT_TYPE), NOT_KEPT])


def _admit(token: str | None, environ: dict[str, Any]) -> None:
    if token is not None:
        given = environ.get("HTTP_AUTHORIZATION", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            raise Unauthenticated("Metrics need the token of CHATAPP_METRICS_TOKEN.")
    elif not _is_here(environ):
        raise Forbidden("Metrics are for this machine; for others, set CHATAPP_METRICS_TOKEN.")


def _is_here(environ: dict[str, Any]) -> bool:
    """Whether somebody on this machine asks, and no proxy on it for somebody elsewhere.

    Nor is a proxy believed here: one of several may be asked past the others, and says too little then.
    """
    if any(name in environ for name in BY_PROXY):
        return False
    try:
        return ip_address(environ.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


class LookedUp(Collector):
    """What is the same for all workers, as it is now."""

    def __init__(self, parts: Services) -> None:
        self._parts = parts
        # Once, and now: whoever adds up does not wait for the database.
        self._found = list(self._look())

    def collect(self) -> list[Metric]:
        return self._found

    def _look(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("chat_redis_up", "Whether Redis can be written.", self._redis_is_up())
        try:
            waiting = self._parts.backlog.look()
        except Unavailable:
            yield GaugeMetricFamily("chat_database_up", DATABASE_UP, 0)
            return
        yield GaugeMetricFamily("chat_database_up", DATABASE_UP, 1)
        yield GaugeMetricFamily("chat_outbox_rows", OUTBOX_ROWS, waiting.rows)
        yield GaugeMetricFamily("chat_outbox_age_seconds", "For how long the first of them has waited.", waiting.age_s)

    def _redis_is_up(self) -> bool:
        try:
            self._parts.link.probe()
        except RedisAway:
            return False
        return True
