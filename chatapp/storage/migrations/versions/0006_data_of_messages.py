"""messages may carry data"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("data", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("messages", "data")
