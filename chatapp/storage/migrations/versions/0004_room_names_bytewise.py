"""room names sort byte by byte, and public rooms have an index of their own"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

PUBLIC = sa.text("visibility = 'public'")


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        # SQLite sorts like this without being told.
        op.execute('ALTER TABLE rooms ALTER COLUMN name TYPE VARCHAR(64) COLLATE "C"')
    op.create_index("ix_rooms_public", "rooms", ["name"], sqlite_where=PUBLIC, postgresql_where=PUBLIC)


def downgrade() -> None:
    op.drop_index("ix_rooms_public", table_name="rooms")
    if op.get_bind().dialect.name == "postgresql":
        op.execute('ALTER TABLE rooms ALTER COLUMN name TYPE VARCHAR(64) COLLATE "default"')
