"""The schema that the migrations make is the one that the models say, on both databases."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask_migrate import downgrade
from flask_migrate import upgrade

from chatapp.config import Config
from chatapp.storage.models import db
from chatapp.web import create_app
from tests.support.postgres import Postgres


@pytest.mark.parametrize("database", ["postgres", "sqlite"])
def test_migrations_and_models_agree(database: str, postgres: Postgres, tmp_path: Path) -> None:
    settings = {"CHATAPP_DATA": str(tmp_path)}
    if database == "postgres":
        settings["DATABASE_URL"] = postgres.database()
    app = create_app(Config.from_environ(settings))
    with app.app_context():
        upgrade()
        with db.engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), db.metadata) == []
        downgrade(revision="base")
        upgrade()
        db.engine.dispose()
