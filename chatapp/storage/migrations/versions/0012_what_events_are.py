"""events say what they are, whichever database they stand in"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("events", sa.Column("uid", sa.String(length=36), nullable=True))


def downgrade() -> None:
    op.drop_column("events", "uid")
