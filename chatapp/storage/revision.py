"""`Revision`: how far the schema of a database is, against the migrations of this version."""

from dataclasses import dataclass
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class Revision:
    """`found` is None where there is no schema; `known`: whether a migration of this version makes it."""

    found: str | None
    newest: str
    known: bool

    @classmethod
    def of(cls, connection: Connection, migrations: Path = MIGRATIONS) -> "Revision":
        scripts = ScriptDirectory(str(migrations))
        # More than one is never made here.
        found = ", ".join(sorted(MigrationContext.configure(connection).get_current_heads())) or None
        known = {script.revision for script in scripts.walk_revisions()}
        return cls(found, scripts.get_current_head() or "", found in known)

    @property
    def older(self) -> bool:
        return self.found is None or (self.known and self.found != self.newest)

    @property
    def next(self) -> bool:
        """Whether it is a single step newer than this version. Revisions are numbers."""
        found = self.found
        return found is not None and found.isdecimal() and int(found) == int(self.newest) + 1
