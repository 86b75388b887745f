"""a receipt belongs to one membership and begins at its joining"""

import sqlalchemy as sa
from alembic import op

from chatapp.storage.migrations import indexes

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# The newest joining of each user in each room: its number, and its place if it has one.
JOINED = """
SELECT room_id, user_id, MAX(number) AS number FROM events WHERE type = 'member.joined' GROUP BY room_id, user_id
"""
# Everybody who ever joined has a receipt. Until now it began at the user's first cursor, and one that ends before it
# begins is of a client that has confirmed nothing yet.
NOW = f"""
INSERT INTO receipts (room_id, user_id, joined, first, delivered)
SELECT joined.room_id, joined.user_id, joined.number, events.log_id,
       CASE WHEN before.delivered >= before.first THEN before.delivered ELSE 0 END
FROM ({JOINED}) AS joined
JOIN events ON events.number = joined.number
LEFT JOIN receipts_before AS before ON before.room_id = joined.room_id AND before.user_id = joined.user_id
"""
# What was received in an earlier membership stays received.
EARLIER = f"""
INSERT INTO receipts (room_id, user_id, joined, first, delivered)
SELECT before.room_id, before.user_id, 0, before.first,
       CASE WHEN events.log_id < before.delivered THEN events.log_id ELSE before.delivered END
FROM receipts_before AS before
LEFT JOIN ({JOINED}) AS joined ON before.room_id = joined.room_id AND before.user_id = joined.user_id
LEFT JOIN events ON events.number = joined.number
WHERE events.log_id IS NULL OR before.first < events.log_id
"""
MEMBERSHIPS = f"""
UPDATE memberships SET joined = joined.number FROM ({JOINED}) AS joined
WHERE joined.room_id = memberships.room_id AND joined.user_id = memberships.user_id
"""
BACK = """
INSERT INTO receipts (room_id, user_id, first, delivered)
SELECT room_id, user_id, MIN(first), MAX(delivered) FROM receipts_before
WHERE first IS NOT NULL AND delivered > 0 GROUP BY room_id, user_id
"""

MOVES = "ix_events_unpublished_moves"
BIG_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    indexes.create(MOVES, "events", ["number"], "log_id IS NULL AND user_id IS NOT NULL")
    op.add_column("memberships", sa.Column("joined", BIG_NUMBER, nullable=False, server_default="0"))
    op.execute(MEMBERSHIPS)
    with op.batch_alter_table("memberships") as memberships:
        memberships.alter_column("joined", server_default=None)
    _rename()
    _create(sa.Column("joined", BIG_NUMBER, nullable=False), first_is_null=True)
    op.execute(NOW)
    op.execute(EARLIER)
    op.drop_table("receipts_before")


def downgrade() -> None:
    indexes.drop(MOVES, "events")
    _rename()
    _create(None, first_is_null=False)
    op.execute(BACK)
    op.drop_table("receipts_before")
    with op.batch_alter_table("memberships") as memberships:
        memberships.drop_column("joined")


def _rename() -> None:
    op.rename_table("receipts", "receipts_before")
    if op.get_bind().dialect.name == "postgresql":
        # Constraints keep their names, which the new table needs.
        for name in ("pk_receipts", "fk_receipts_room_id_rooms", "fk_receipts_user_id_users"):
            op.execute(f"ALTER TABLE receipts_before RENAME CONSTRAINT {name} TO {name}_before")


def _create(joined: sa.Column[int] | None, *, first_is_null: bool) -> None:
    key = ["room_id", "user_id", *(["joined"] if joined is not None else [])]
    op.create_table(
        "receipts",
        sa.Column("room_id", BIG_NUMBER, nullable=False),
        sa.Column("user_id", sa.String(length=255), nullable=False),
        *([joined] if joined is not None else []),
        sa.Column("first", sa.BigInteger(), nullable=first_is_null),
        sa.Column("delivered", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_receipts_room_id_rooms")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_receipts_user_id_users")),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_receipts")),
    )
