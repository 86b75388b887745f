"""The database's schema against the newest migration."""

from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy import inspect

from chatapp.command.check.finding import Finding
from chatapp.command.check.finding import error
from chatapp.command.check.finding import ok
from chatapp.command.check.finding import warning
from chatapp.storage import MIGRATIONS
from chatapp.storage import Revision

PART = "schema"


def look(connection: Connection, migrations: Path = MIGRATIONS) -> Finding:
    revision = Revision.of(connection, migrations)
    named = f"revision {revision.found}"
    if revision.found == revision.newest:
        return ok(PART, f"{named}, the newest")
    if revision.found is None and not inspect(connection).get_table_names():
        return warning(PART, "no tables yet: run chatapp upgrade, or the first start makes them")
    if revision.found is None:
        return error(
            PART, "tables without a revision: not made by chatapp upgrade; give the service a database of its own"
        )
    if revision.older:
        return error(PART, f"{named} is behind {revision.newest}: run chatapp upgrade")
    if revision.next:
        return warning(PART, f"{named} is of a newer chatapp, and is served as it is until that one is everywhere")
    return error(PART, f"{named} is unknown here: made by a newer chatapp; install that one")
