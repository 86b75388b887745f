"""members in the order of their names, and when they were last seen"""

import sqlalchemy as sa
from alembic import op

from chatapp.storage.name_order import name_order

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

INDEX = "ix_memberships_by_name"
AT_ONCE = 10_000


def upgrade() -> None:
    # Bytewise, like the names of rooms.
    order = sa.String(255).with_variant(sa.dialects.postgresql.VARCHAR(255, collation="C"), "postgresql")
    for table in ("users", "memberships"):
        op.add_column(table, sa.Column("name_order", order, nullable=False, server_default=""))
    op.add_column("memberships", sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True))
    _fill(op.get_bind())
    op.create_index(INDEX, "memberships", ["room_id", "name_order", "user_id"])


def _fill(connection: sa.Connection) -> None:
    users = sa.table("users", sa.column("id"), sa.column("name"), sa.column("name_order"))
    memberships = sa.table("memberships", sa.column("user_id"), sa.column("name_order"))
    write = sa.update(users).where(users.c.id == sa.bindparam("user")).values(name_order=sa.bindparam("order"))
    after = ""
    while rows := connection.execute(
        sa.select(users.c.id, users.c.name).where(users.c.id > after).order_by(users.c.id).limit(AT_ONCE)
    ).all():
        connection.execute(write, [{"user": id_, "order": name_order(name)} for id_, name in rows])
        after = rows[-1][0]
    order = sa.select(users.c.name_order).where(users.c.id == memberships.c.user_id).scalar_subquery()
    connection.execute(sa.update(memberships).values(name_order=order))


def downgrade() -> None:
    op.drop_index(INDEX, table_name="memberships")
    op.drop_column("memberships", "last_seen_at")
    for table in ("memberships", "users"):
        op.drop_column(table, "name_order")
