"""An incident has tasks, copies, more time, and what it was merged into."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("incident", schema=None) as batch_op:
        batch_op.add_column(sa.Column("parent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True))
        batch_op.add_column(sa.Column("whistle_case", sa.Text(), nullable=True))
        batch_op.add_column(
            sa.Column("merged_into_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
        )
        batch_op.add_column(sa.Column("copied_to", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("extension", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("is_legacy", sa.Boolean(), nullable=True))
        batch_op.create_index(batch_op.f("ix_incident_parent_id"), ["parent_id"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("restore the copy that was kept before the upgrade")
