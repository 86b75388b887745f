"""sessions that ended are found by an index"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

NAME = "ix_sessions_ended"


def upgrade() -> None:
    op.create_index(NAME, "sessions", ["expires_at", "token_hash"], unique=False)


def downgrade() -> None:
    op.drop_index(NAME, table_name="sessions")
