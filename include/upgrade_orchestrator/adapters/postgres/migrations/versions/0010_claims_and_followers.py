"""claims on Idempotency-Keys, an index for the dag files, and when followers had last read everything.

All of it is added: the version before works on as it did. What it stores of a key has no claim and needs none.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("idempotency_key", sa.Column("owner", sa.String(length=64), nullable=True))
    op.add_column("idempotency_key", sa.Column("claimed_until", _TIME, nullable=True))
    op.create_index(
        "ix_execution_shard",
        "execution",
        [sa.text("(shard_key % 16)"), "completed_at"],
        postgresql_where=sa.text("started_at IS NOT NULL AND settled_at IS NOT NULL"),
    )
    op.create_table(
        "follower",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("caught_up_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_follower")),
    )


def downgrade() -> None:
    op.drop_table("follower")
    op.drop_index("ix_execution_shard", table_name="execution")
    for name in ("claimed_until", "owner"):
        op.drop_column("idempotency_key", name)
