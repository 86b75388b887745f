"""Hosts that share a database tell each other with which secret they make their sessions."""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import Start
from tests.support.postgres import Postgres
from tests.support.processes import wait_until
from tests.support.redis_server import RedisServer
from tests.support.service import ROOT

SAID = "SECRET_KEY: another one than on this host"
# Each says it when its workers start, and again every half minute.
TOLD_WITHIN_S = 4 * 30.0


def check(folder: Path, **settings: str) -> str:
    environ = {**os.environ, "CHATAPP_DATA": str(folder), **settings}
    command = [sys.executable, "-m", "chatapp", "check"]
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60).stdout


def test_the_one_with_another_secret_is_named(
    start_service: Start, postgres: Postgres, redis_server: RedisServer, tmp_path: Path
) -> None:
    shared = {"DATABASE_URL": postgres.database(), "REDIS_URL": redis_server.url}
    one = start_service("postgres", **shared, SECRET_KEY="the secret of both of them")
    two = start_service("postgres", **shared, SECRET_KEY="the secret of both of them")
    assert "the same on all hosts that serve: 2" in check(tmp_path, **shared, SECRET_KEY="the secret of both of them")
    other = start_service("postgres", **shared, SECRET_KEY="a secret of its own")
    wait_until(lambda: SAID in other.log(), TOLD_WITHIN_S, "the host that differs to say so")
    line = next(line for line in other.log().splitlines() if SAID in line)
    for service in (one, two):
        assert f":{service.port}" in line
    found = check(tmp_path, **shared, SECRET_KEY="the secret of both of them")
    (named,) = [line for line in found.splitlines() if "another one is set on" in line]
    assert f":{other.port}:" in named
    assert f":{one.port}" not in named
    for service in (one, two, other):
        service.stop()
