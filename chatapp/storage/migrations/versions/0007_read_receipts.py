"""members' read receipts, and an index that counts what is unread"""

import sqlalchemy as sa
from alembic import op

from chatapp.storage.migrations import indexes

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BEFORE, NOW = "ix_messages_room_id_log_id", "ix_messages_of_room"
WHERE = "log_id IS NOT NULL"


def upgrade() -> None:
    indexes.create(NOW, "messages", ["room_id", "log_id", "sender_id", "deleted_at"], WHERE)
    indexes.drop(BEFORE, "messages")
    op.add_column("receipts", sa.Column("read", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    indexes.create(BEFORE, "messages", ["room_id", "log_id"], WHERE)
    indexes.drop(NOW, "messages")
    op.drop_column("receipts", "read")
