"""The execution that a revert takes back, and the further versions that it brings instances to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0016"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("execution", sa.Column("revert_of", sa.String(length=64), nullable=True))
    op.add_column(
        "execution", sa.Column("further_targets", JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False)
    )


def downgrade() -> None:
    op.drop_column("execution", "further_targets")
    op.drop_column("execution", "revert_of")
