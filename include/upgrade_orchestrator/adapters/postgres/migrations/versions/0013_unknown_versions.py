"""The version that an instance ran before may be unknown; what a fleet calls a version may be longer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None

_TABLES = ("instance", "rollback_instance")
_LONG, _SHORT = sa.String(length=128), sa.String(length=64)


def upgrade() -> None:
    for table in _TABLES:
        op.alter_column(table, "from_version", type_=_LONG, existing_type=_SHORT, nullable=True)
        op.alter_column(table, "to_version", type_=_LONG, existing_type=_SHORT, existing_nullable=False)


def downgrade() -> None:
    for table in _TABLES:
        op.execute(f"UPDATE {table} SET from_version = '' WHERE from_version IS NULL")  # noqa: S608 - our own names
        for name in ("from_version", "to_version"):
            op.execute(f"UPDATE {table} SET {name} = left({name}, 64)")  # noqa: S608
            op.alter_column(table, name, type_=_SHORT, existing_type=_LONG, nullable=False)
