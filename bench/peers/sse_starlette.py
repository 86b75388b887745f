"""sse-starlette under uvicorn, with Redis."""

from contextlib import AbstractContextManager

from bench.gunicorn import APPS
from bench.peers.with_redis import with_redis
from bench.target import Target
from bench.venv import python_folder


def sse_starlette() -> AbstractContextManager[Target]:
    return with_redis("sse-starlette", "bench", _command)


def _command(port: int) -> list[str]:
    listening = ["--host", "127.0.0.1", "--port", str(port), "--backlog", "4096", "--app-dir", str(APPS)]
    return [str(python_folder() / "uvicorn"), *listening, "--no-access-log", "sse_starlette_app:app"]
