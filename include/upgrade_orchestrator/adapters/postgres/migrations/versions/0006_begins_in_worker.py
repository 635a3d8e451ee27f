"""where an upgrade begins is decided at its start.

Of executions that were started before, the DAG is built, and its first step begins in a worker.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "execution", sa.Column("begins_in_worker", sa.Boolean(), server_default=sa.text("true"), nullable=False)
    )


def downgrade() -> None:
    op.drop_column("execution", "begins_in_worker")
