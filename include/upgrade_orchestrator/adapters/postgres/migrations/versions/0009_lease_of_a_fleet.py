"""leases belong to fleets: two deployments that name the same fleet share its lease and its fencing token.

A runner of the version before finds no lease of its own kind any more and stops; its work is taken over.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# of deployments that share a fleet, the highest token stays valid: the fleet has seen no higher one
_OF_FLEETS = """
    INSERT INTO fleet_lease (conn_id, fleet, owner, token, expires_at)
    SELECT DISTINCT ON (deployment.conn_id, deployment.fleet)
        deployment.conn_id, deployment.fleet, lease.owner, lease.token, lease.expires_at
    FROM lease JOIN deployment USING (tenant_id, component_id)
    ORDER BY deployment.conn_id, deployment.fleet, lease.token DESC
"""
_OF_DEPLOYMENTS = """
    INSERT INTO deployment_lease (tenant_id, component_id, owner, token, expires_at)
    SELECT deployment.tenant_id, deployment.component_id, lease.owner, lease.token, lease.expires_at
    FROM lease JOIN deployment USING (conn_id, fleet)
"""


def upgrade() -> None:
    _replace("fleet_lease", ("conn_id", "fleet"), 255, _OF_FLEETS)


def downgrade() -> None:
    _replace("deployment_lease", ("tenant_id", "component_id"), 64, _OF_DEPLOYMENTS)
    op.execute("DROP INDEX IF EXISTS uq_deployment_fleet")


def _replace(made: str, key: tuple[str, str], length: int, fill: str) -> None:
    op.create_table(
        made,
        *(sa.Column(name, sa.String(length=length), nullable=False) for name in key),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.execute(fill)
    op.drop_table("lease")
    op.rename_table(made, "lease")
    op.create_primary_key(op.f("pk_lease"), "lease", list(key))
    op.create_check_constraint(op.f("ck_lease_positive"), "lease", "token > 0")
