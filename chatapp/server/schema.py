"""`upgrade`: the schema that this version needs, in the database that the settings name."""

import logging
import time

from flask_migrate import upgrade as upgrade_schema
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import SQLAlchemyError

from chatapp.config import Config
from chatapp.config import ConfigError
from chatapp.server import private_files
from chatapp.server.upgrade_lock import UpgradeLock
from chatapp.storage import Revision
from chatapp.storage import db
from chatapp.storage import long_work_engine
from chatapp.web import create_app

log = logging.getLogger(__name__)

# For this long an upgrade tries to have a table for itself that others use all the time, a backup for instance.
TABLE_WAIT_S = 600.0
TRY_AGAIN_S = 2.0
# Lock not available, and deadlock: the other one may be a request, which has taken the same tables in another order.
TRY_AGAIN = frozenset({"55P03", "40P01"})


def upgrade(config: Config) -> None:
    """Bring the database to the newest schema; make it if it is not there.

    Waits for another that does the same. One that is a single step newer is left as it is: every step keeps the
    version before it working. Raises ConfigError if the database cannot be used.
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
    if not _is_older():
        return
    if db.engine.dialect.name != "postgresql":
        upgrade_schema()
        return
    with UpgradeLock(long_work_engine(db.engine.url)):
        # Perhaps it was another's upgrade that this one waited for.
        if _is_older():
            _upgrade_while_in_use()


def _upgrade_while_in_use() -> None:
    until_s = time.monotonic() + TABLE_WAIT_S
    while True:
        try:
            upgrade_schema()
            return
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) not in TRY_AGAIN or time.monotonic() > until_s:
                raise
        log.warning("the upgrade waits for a table that is in use")
        time.sleep(TRY_AGAIN_S)


def _is_older() -> bool:
    with db.engine.connect() as connection:
        revision = Revision.of(connection)
    if revision.known or revision.older:
        return revision.older
    if not revision.next:
        raise ConfigError(f"DATABASE_URL: the schema, {revision.found}, is of a newer chatapp: install that one")
    log.warning("the schema, revision %s, is of a newer chatapp, and is served as it is", revision.found)
    return False
