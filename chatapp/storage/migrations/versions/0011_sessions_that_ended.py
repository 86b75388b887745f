"""sessions that ended are found by an index"""

from chatapp.storage.migrations import indexes

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

NAME = "ix_sessions_ended"


def upgrade() -> None:
    indexes.create(NAME, "sessions", ["expires_at", "token_hash"])


def downgrade() -> None:
    indexes.drop(NAME, "sessions")
