"""`upgrade`: the schema that this version needs, in the database that the settings name."""

import logging

from flask_migrate import upgrade as upgrade_schema
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from chatapp.config import Config
from chatapp.config import ConfigError
from chatapp.server import private_files
from chatapp.storage import db
from chatapp.storage import for_long_work
from chatapp.web import create_app

# Any number that nothing else in the database uses: only one process at a time changes the schema.
UPGRADE_LOCK = 4_242_001
UPGRADE_WAIT_MS = 60_000


def upgrade(config: Config) -> None:
    """Bring the database to the newest schema; make it if it is not there.

    Waits UPGRADE_WAIT_MS for another that does the same. Raises ConfigError if the database cannot be used.
    """
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        private_files.close(config)
        with create_app(config).app_context():
            _upgrade()
    except (SQLAlchemyError, OSError) as error:
        cause = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise ConfigError(f"DATABASE_URL: the database cannot be used: {cause}") from None


def _upgrade() -> None:
    if db.engine.dialect.name != "postgresql":
        upgrade_schema()
        return
    # The lock is the transaction's, which no server ends while it waits: that of a session would be lost behind a
    # pooler, where each transaction may have another.
    with db.engine.begin() as connection:
        connection.execute(text(for_long_work()))
        connection.execute(text(f"SET LOCAL lock_timeout = {UPGRADE_WAIT_MS}"))
        connection.execute(text(f"SELECT pg_advisory_xact_lock({UPGRADE_LOCK})"))
        upgrade_schema()
