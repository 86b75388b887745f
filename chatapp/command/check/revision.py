"""The database's schema against the newest migration."""

from pathlib import Path

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy import inspect

from chatapp.command.check.finding import Finding
from chatapp.command.check.finding import error
from chatapp.command.check.finding import ok
from chatapp.command.check.finding import warning
from chatapp.storage import MIGRATIONS


def look(connection: Connection, migrations: Path = MIGRATIONS) -> Finding:
    part = "schema"
    scripts = ScriptDirectory(str(migrations))
    newest = set(scripts.get_heads())
    current = set(MigrationContext.configure(connection).get_current_heads())
    named = ", ".join(sorted(current))
    if current == newest:
        return ok(part, f"revision {named}, the newest")
    if not current and not inspect(connection).get_table_names():
        return warning(part, "no tables yet: run chatapp upgrade, or the first start makes them")
    if not current:
        return error(
            part, "tables without a revision: not made by chatapp upgrade; give the service a database of its own"
        )
    if current - {script.revision for script in scripts.walk_revisions()}:
        return error(part, f"revision {named} is unknown here: made by a newer chatapp; install that one")
    return error(part, f"revision {named} is behind {', '.join(sorted(newest))}: run chatapp upgrade")
