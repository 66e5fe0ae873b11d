"""A visit keeps the time a wrong clock gave."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.add_column(sa.Column("claimed_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("restore the copy that was kept before the upgrade")
