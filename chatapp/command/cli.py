"""The command `chatapp`."""

import logging
import sys
from pathlib import Path

import click
from flask_migrate import upgrade as upgrade_schema
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from chatapp.command import check as checks
from chatapp.command.export import export
from chatapp.command.forget import forget
from chatapp.command.import_ import import_
from chatapp.command.prune import prune
from chatapp.command.replay import Replay
from chatapp.command.replay import ReplayError
from chatapp.command.serve import serve
from chatapp.config import Config
from chatapp.config import ConfigError
from chatapp.server import private_files
from chatapp.storage import db
from chatapp.storage import for_long_work
from chatapp.web import create_app

# Any number that nothing else in the database uses: only one process at a time changes the schema.
UPGRADE_LOCK = 4_242_001
UPGRADE_WAIT_MS = 60_000


@click.group()
def chatapp() -> None:
    """Chat over plain HTTP."""


@chatapp.command()
def upgrade() -> None:
    """Bring the database to the newest schema; make it if it is not there."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        config = Config.from_environ()
        private_files.close(config)
        app = create_app(config)
        with app.app_context():
            if db.engine.dialect.name == "postgresql":
                # The lock is the transaction's, which no server ends while it waits: that of a session would be lost
                # behind a pooler, where each transaction may have another.
                with db.engine.begin() as connection:
                    connection.execute(text(for_long_work()))
                    connection.execute(text(f"SET LOCAL lock_timeout = {UPGRADE_WAIT_MS}"))
                    connection.execute(text(f"SELECT pg_advisory_xact_lock({UPGRADE_LOCK})"))
                    upgrade_schema()
            else:
                upgrade_schema()
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
    except (SQLAlchemyError, OSError) as error:
        cause = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise click.ClickException(f"DATABASE_URL: the database cannot be used: {cause}") from None


@chatapp.command()
def check() -> None:
    """Say what is wrong before users do. Exit status 1 if anything is an error."""
    found = checks.findings()
    for finding in found:
        click.echo(finding)
    sys.exit(1 if checks.failed(found) else 0)


chatapp.add_command(serve)
chatapp.add_command(prune)
chatapp.add_command(export)
chatapp.add_command(import_)
chatapp.add_command(forget)


@chatapp.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="Where the service is.")
@click.option("--room", default="general", show_default=True, help="Where to say it; a public room is made if need be.")
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    help="How many times faster than it was recorded. Silences are cut to 5 s.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Only the first so many lines.")
@click.option("--typing", is_flag=True, help="Show who is writing before each message.")
def replay(file: Path, url: str, room: str, speed: float, limit: int | None, *, typing: bool) -> None:
    """Send a recorded conversation through the public API, as its own people.

    FILE holds one JSON object a line: {"day", "at", "nick", "body"}.
    """
    try:
        refused = Replay(url, room, speed, typing=typing).run(file, limit)
    except (ReplayError, KeyboardInterrupt) as error:
        raise click.ClickException(str(error) or "interrupted") from None
    if refused:
        click.echo("1 line was refused:" if len(refused) == 1 else f"{len(refused)} lines were refused:")
        for line in refused:
            click.echo(f"  line {line.number}, {_printable(line.nick)}: {line.reason}")


def _printable(nick: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in nick)


def main() -> None:
    try:
        chatapp(prog_name="chatapp")
    except ConfigError as error:
        sys.exit(f"chatapp: {error}")
