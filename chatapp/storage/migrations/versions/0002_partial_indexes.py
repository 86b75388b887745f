"""indexes hold only the rows that are looked for by them"""

from chatapp.storage.migrations import indexes

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Name, table, columns; which rows it held before, and holds now.
INDEXES = (
    ("ix_messages_room_id_log_id", "messages", ["room_id", "log_id"], None, "log_id IS NOT NULL"),
    (
        "ix_messages_undelivered",
        "messages",
        ["room_id", "log_id"],
        "status = 'sent'",
        "status = 'sent' AND log_id IS NOT NULL",
    ),
    ("ix_events_user_id_log_id", "events", ["user_id", "log_id"], None, "user_id IS NOT NULL"),
    ("ix_events_log_id", "events", ["log_id"], None, "log_id IS NOT NULL"),
)


def upgrade() -> None:
    for name, table, columns, _, now in INDEXES:
        indexes.make_anew(name, table, columns, now)


def downgrade() -> None:
    for name, table, columns, before, _ in INDEXES:
        indexes.make_anew(name, table, columns, before)
