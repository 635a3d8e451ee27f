"""versions of up to 128 characters, and a scheme of each component that orders them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("component_version", "version"),
    ("component_version", "min_platform_version"),
    ("component_version", "max_platform_version"),
    ("execution", "from_version"),
    ("execution", "to_version"),
    ("instance", "from_version"),
    ("instance", "to_version"),
    ("rollback_instance", "from_version"),
    ("rollback_instance", "to_version"),
)


def upgrade() -> None:
    for table, column in _COLUMNS:  # PostgreSQL only changes its catalogue: no row is written
        op.alter_column(table, column, type_=sa.String(length=128))
    op.add_column(
        "component",
        sa.Column("version_scheme", sa.String(length=16), server_default=sa.text("'auto'"), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("component", "version_scheme")
    for table, column in _COLUMNS:
        op.alter_column(table, column, type_=sa.String(length=64), postgresql_using=f"left({column}, 64)")
