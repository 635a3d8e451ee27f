"""absent, gone and relapsed instances, foreign drains, what needs attention.

Instances of executions that were created before count as drained by nobody else.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_INSTANCE = ("reported", "absent_seconds", "gone", "drained_before", "relapses")
_EXECUTION = ("accepted_failures", "attention", "version_scheme")


def upgrade() -> None:
    op.add_column("instance", sa.Column("reported", sa.String(length=128), nullable=True))
    op.add_column("instance", sa.Column("absent_seconds", sa.Float(), nullable=True))
    for name in ("gone", "drained_before"):
        op.add_column("instance", sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("instance", sa.Column("relapses", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column(
        "execution", sa.Column("accepted_failures", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column("execution", sa.Column("attention", JSONB(), nullable=True))
    op.add_column(
        "execution", sa.Column("version_scheme", sa.String(length=16), server_default=sa.text("'auto'"), nullable=False)
    )


def downgrade() -> None:
    for name in _EXECUTION:
        op.drop_column("execution", name)
    for name in _INSTANCE:
        op.drop_column("instance", name)
