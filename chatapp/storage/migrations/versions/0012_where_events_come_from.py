"""events say what they are, and a database which one it is"""

import sqlalchemy as sa
from alembic import op

from chatapp.storage.models import UtcDateTime
from chatapp.storage.models import uuid7

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("events", sa.Column("uid", sa.String(length=36), nullable=True))
    incarnations = op.create_table(
        "incarnations",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=36), nullable=False),
        sa.Column("server", sa.String(length=255), nullable=False),
        sa.Column("replaces", sa.String(length=36), nullable=False),
        sa.Column("lost_after", sa.BigInteger(), nullable=True),
        sa.Column("lost_until", sa.BigInteger(), nullable=True),
        sa.Column("pruned_until", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_incarnations")),
    )
    op.bulk_insert(incarnations, [{"name": uuid7(), "server": "", "replaces": ""}])


def downgrade() -> None:
    op.drop_table("incarnations")
    op.drop_column("events", "uid")
