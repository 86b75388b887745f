"""Indexes of tables that may be large: made and dropped while others go on writing.

On PostgreSQL that is done outside of any transaction, and commits what the migration has done before: so each function
here can be called again after it was interrupted, and a migration calls them before anything that cannot. An index that
is valid stays as it is; one that an interrupted process left is not valid.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

VALID = sa.text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")


def create(name: str, table: str, columns: Sequence[str], where: str | None = None) -> None:
    """Make the index. `where`: the condition of a partial one."""
    condition = None if where is None else sa.text(where)
    if not _postgresql():
        op.create_index(name, table, list(columns), sqlite_where=condition)
        return
    valid = op.get_bind().scalar(VALID, {"name": name})
    if valid:
        # Made before what came behind it was interrupted.
        return
    with op.get_context().autocommit_block():
        if valid is not None:
            op.drop_index(name, table_name=table, if_exists=True, postgresql_concurrently=True)
        op.create_index(name, table, list(columns), postgresql_where=condition, postgresql_concurrently=True)


def drop(name: str, table: str) -> None:
    if not _postgresql():
        op.drop_index(name, table_name=table)
        return
    with op.get_context().autocommit_block():
        op.drop_index(name, table_name=table, if_exists=True, postgresql_concurrently=True)


def make_anew(name: str, table: str, columns: Sequence[str], where: str | None) -> None:
    """The same name for other rows: until the new one is there, the old one is."""
    if not _postgresql():
        drop(name, table)
        create(name, table, columns, where)
        return
    new = f"{name}_new"
    create(new, table, columns, where)
    drop(name, table)
    op.execute(f"ALTER INDEX {new} RENAME TO {name}")


def _postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"
