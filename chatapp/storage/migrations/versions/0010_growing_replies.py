"""messages that grow: where they stand, and what was added"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("growing", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "growths",
        sa.Column("message_id", sa.String(36), nullable=False),
        sa.Column("room_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("room", sa.String(64), nullable=False),
        sa.Column("sender_id", sa.String(255), nullable=False),
        sa.Column("session_id", sa.String(64), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("appended_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name="fk_growths_message_id_messages"),
        sa.PrimaryKeyConstraint("message_id", name="pk_growths"),
    )
    op.create_index("ix_growths_sender_id", "growths", ["sender_id"])
    op.create_table(
        "pieces",
        sa.Column("message_id", sa.String(36), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["growths.message_id"], name="fk_pieces_message_id_growths"),
        sa.PrimaryKeyConstraint("message_id", "at", name="pk_pieces"),
    )


def downgrade() -> None:
    op.drop_table("pieces")
    op.drop_index("ix_growths_sender_id", table_name="growths")
    op.drop_table("growths")
    op.drop_column("messages", "growing")
