"""What computers hand over that may not write any more, and from which of them a kept value came."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "hand_over",
        sa.Column("replica", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ops", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("photo_bytes", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("replica"),
    )
    op.create_table(
        "handed_over",
        sa.Column("replica", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("verdict", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("replica", "digest"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "renewed_id",
        sa.Column("replica", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("new_id", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("replica", "digest", "part"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("conflict", schema=None) as batch_op:
        batch_op.add_column(sa.Column("computer", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("organisation_id", _BIG, nullable=True))


def downgrade() -> None:
    raise NotImplementedError("restore the copy that was kept before the upgrade")
