"""an index finds a user's next joining or leaving of one room, however often they moved"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NAME = "ix_events_user_id_room_id_log_id"
WHERE = sa.text("user_id IS NOT NULL")


def upgrade() -> None:
    columns = ["user_id", "room_id", "log_id"]
    op.create_index(NAME, "events", columns, unique=False, sqlite_where=WHERE, postgresql_where=WHERE)


def downgrade() -> None:
    op.drop_index(NAME, table_name="events")
