"""flask-sse under gunicorn's gevent worker, with Redis."""

from contextlib import AbstractContextManager

from bench import gunicorn
from bench.peers.with_redis import with_redis
from bench.target import Target
from bench.venv import python_folder


def flask_sse() -> AbstractContextManager[Target]:
    # "sse" is the channel that it uses unless told otherwise.
    return with_redis("flask-sse", "sse", lambda port: gunicorn.command(python_folder(), "flask_sse_app", port))
