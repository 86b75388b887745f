"""an index finds a user's next joining or leaving of one room, however often they moved"""

from chatapp.storage.migrations import indexes

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NAME = "ix_events_user_id_room_id_log_id"


def upgrade() -> None:
    indexes.create(NAME, "events", ["user_id", "room_id", "log_id"], "user_id IS NOT NULL")


def downgrade() -> None:
    indexes.drop(NAME, "events")
