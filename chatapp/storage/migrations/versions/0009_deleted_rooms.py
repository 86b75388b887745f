"""rooms that were deleted, while something of them is left"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

INDEX = "ix_rooms_unswept"
WHERE = sa.text("deleted_at IS NOT NULL AND swept_at IS NULL")


def upgrade() -> None:
    op.add_column("rooms", sa.Column("former_name", sa.String(64), nullable=True))
    for name in ("deleted_at", "swept_at"):
        op.add_column("rooms", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.create_index(INDEX, "rooms", ["id"], sqlite_where=WHERE, postgresql_where=WHERE)


def downgrade() -> None:
    op.drop_index(INDEX, table_name="rooms")
    for name in ("swept_at", "deleted_at", "former_name"):
        op.drop_column("rooms", name)
