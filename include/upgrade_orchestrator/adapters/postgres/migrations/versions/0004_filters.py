"""an index for each filter of the list of a tenant's executions."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_FILTERS = {"status": "status", "component": "component_id", "strategy": "strategy"}


def upgrade() -> None:
    for name, column in _FILTERS.items():
        op.create_index(f"ix_execution_tenant_{name}", "execution", ["tenant_id", column, "created_at", "id"])


def downgrade() -> None:
    for name in reversed(_FILTERS):
        op.drop_index(f"ix_execution_tenant_{name}", table_name="execution")
