"""Health: is the process up, and can it serve?"""

from collections.abc import Callable

from flask import Blueprint
from flask import Response

from chatapp.errors import RedisAway
from chatapp.errors import RedisClustered
from chatapp.errors import Unavailable
from chatapp.web.answers import Answer
from chatapp.web.current import services
from chatapp.web.problems import problem
from chatapp.wire import codec

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    return Answer.json({"status": "ok"}).response()


@blueprint.get("/readyz")
def readyz() -> Response:
    checks = {"database": _check(services().database.ping), "redis": _check(services().link.probe)}
    if all(state == "ok" for state in checks.values()):
        return Answer.json({"status": "ok", **checks}).response()
    away = ", ".join(name for name, state in checks.items() if state == "unavailable")
    why = f"Does not answer: {away}." if away else "Redis is a cluster, which cannot hold the log."
    error = Unavailable(why)
    response = problem(error).response()
    response.set_data(codec.dumps({**error.problem(), **checks}))
    return response


def _check(ping: Callable[[], None]) -> str:
    try:
        ping()
    except RedisClustered:
        return "cluster"
    except (Unavailable, RedisAway):
        return "unavailable"
    return "ok"
