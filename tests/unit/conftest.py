"""A stage for each test, with a Redis for all of them and a database that was made once."""

import shutil
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask_migrate import upgrade

from chatapp.config import Config
from chatapp.storage import db
from chatapp.web import create_app
from tests.support.redis_server import RedisServer
from tests.support.stage import Stage

Set = Callable[..., Stage]


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def made_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    app = create_app(Config.from_environ({"CHATAPP_DATA": str(folder)}))
    with app.app_context():
        upgrade()
        db.engine.dispose()
    return folder


@pytest.fixture
def set_up(shared_redis: RedisServer, made_database: Path, tmp_path: Path) -> Iterator[Set]:
    """Sets up a stage with settings of its own; a second one is another worker of the same service."""
    shared_redis.client.flushall()
    shutil.copytree(made_database, tmp_path / "data")
    stages: list[Stage] = []

    def make(**settings: str) -> Stage:
        stages.append(Stage(tmp_path / "data", shared_redis.url, **settings))
        return stages[-1]

    yield make
    for stage in stages:
        stage.close()


@pytest.fixture
def stage(set_up: Set) -> Stage:
    return set_up()
