"""who reads every event once keeps how far it has come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "followed",
        sa.Column("execution_id", sa.String(length=64), nullable=False),
        sa.Column("follower", sa.String(length=16), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["execution_id"], ["execution.id"], name=op.f("fk_followed_execution_id_execution"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("execution_id", "follower", name=op.f("pk_followed")),
    )


def downgrade() -> None:
    op.drop_table("followed")
