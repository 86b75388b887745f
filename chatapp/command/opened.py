"""`opened`: database and Redis of the service, by its settings, for a command that works beside it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import click
from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError

from chatapp.command.check import revision
from chatapp.command.check.finding import Level
from chatapp.command.check.finding import first_line
from chatapp.command.patient_database import PatientDatabase
from chatapp.config import Config
from chatapp.errors import Unavailable
from chatapp.eventlog import LiveLog
from chatapp.server import private_files
from chatapp.storage import Database
from chatapp.storage import RedisLink
from chatapp.storage import engine_options
from chatapp.storage import prepare


@dataclass(frozen=True, slots=True)
class Opened:
    config: Config
    database: Database
    live_log: LiveLog


@contextmanager
def opened() -> Iterator[Opened]:
    """For as long as the command works. What keeps it from working is one line."""
    # What fails is said once, at the end.
    for library in ("chatapp", "alembic"):
        logging.getLogger(library).setLevel(logging.ERROR)
    config = Config.from_environ()
    if config.sqlite_path is not None and not config.sqlite_path.exists():
        raise click.ClickException(f"DATABASE_URL: there is no database at {config.sqlite_path}: is this the folder?")
    private_files.close(config)
    link = RedisLink(config.redis_url)
    database = _database(config)
    try:
        yield Opened(config, database, LiveLog(link, config.log_maxlen))
    except Unavailable as error:
        raise click.ClickException(f"DATABASE_URL: {error}") from None
    except SQLAlchemyError as error:
        raise click.ClickException(f"DATABASE_URL: {first_line(getattr(error, 'orig', None) or error)}") from None
    finally:
        link.close()
        database.close()


def _database(config: Config) -> Database:
    """Of the schema that is known here."""
    engine = create_engine(config.database_url, **engine_options(config.database_url))
    prepare(engine)
    try:
        with engine.connect() as connection:
            found = revision.look(connection)
    except SQLAlchemyError as error:
        cause = first_line(getattr(error, "orig", None) or error)
        raise click.ClickException(f"DATABASE_URL: the database cannot be used: {cause}") from None
    if found.level is not Level.OK:
        raise click.ClickException(f"DATABASE_URL: {found.text}")
    return PatientDatabase(engine)
