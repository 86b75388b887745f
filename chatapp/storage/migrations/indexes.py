"""Indexes of tables that may be large: made and dropped while others go on writing.

On PostgreSQL that is done outside of any transaction, and commits what the migration has done before: so each function
here can be called again after it was interrupted, and a migration calls them before anything that cannot.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op


def create(name: str, table: str, columns: Sequence[str], where: str | None = None) -> None:
    """Make the index. `where`: the condition of a partial one."""
    condition = None if where is None else sa.text(where)
    if not _postgresql():
        op.create_index(name, table, list(columns), sqlite_where=condition)
        return
    with op.get_context().autocommit_block():
        # What is left by one who was interrupted is invalid.
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
