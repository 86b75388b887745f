"""`chatapp upgrade`: the schema that this version needs."""

import click

from chatapp.config import Config
from chatapp.server import schema


@click.command()
def upgrade() -> None:
    """Bring the database to the newest schema; make it if it is not there."""
    schema.upgrade(Config.from_environ())
