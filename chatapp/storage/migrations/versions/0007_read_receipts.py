"""members' read receipts, and an index that counts what is unread"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BEFORE, NOW = "ix_messages_room_id_log_id", "ix_messages_of_room"
WHERE = sa.text("log_id IS NOT NULL")


def upgrade() -> None:
    op.add_column("receipts", sa.Column("read", sa.BigInteger(), nullable=True))
    columns = ["room_id", "log_id", "sender_id", "deleted_at"]
    op.create_index(NOW, "messages", columns, sqlite_where=WHERE, postgresql_where=WHERE)
    op.drop_index(BEFORE, table_name="messages")


def downgrade() -> None:
    op.create_index(BEFORE, "messages", ["room_id", "log_id"], sqlite_where=WHERE, postgresql_where=WHERE)
    op.drop_index(NOW, table_name="messages")
    op.drop_column("receipts", "read")
