"""what every strategy, the approvals and the reconciler need."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ANSWERED = sa.text("answered_at IS NOT NULL AND decision IS NULL")
_EXECUTION = (
    ("canary_healthy", sa.Boolean(), True, None),
    ("canary_polls", sa.Integer(), False, "0"),
    ("canary_last_poll_at", sa.DateTime(timezone=True), True, None),
    ("promoted_by", sa.String(length=255), True, None),
    ("promoted_at", sa.DateTime(timezone=True), True, None),
    ("retry_of", sa.String(length=64), True, None),
    ("run_ref", sa.String(length=64), True, None),
    ("dag_paused", sa.Boolean(), False, "false"),
)
_BATCH = ("switched_at", "soaked_at")
_STATISTICS = ("status", "started_at", "completed_at", "paused_seconds")


def upgrade() -> None:
    for name, kind, nullable, default in _EXECUTION:
        given = sa.text(default) if default else None
        op.add_column("execution", sa.Column(name, kind, nullable=nullable, server_default=given))
    op.drop_index("ix_execution_component", table_name="execution")
    op.create_index(
        "ix_execution_component", "execution", ["component_id", "strategy"], postgresql_include=list(_STATISTICS)
    )
    for name in _BATCH:
        op.add_column("batch", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "approval",
        sa.Column("execution_id", sa.String(length=64), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("plan_hash", sa.String(length=64), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(length=16), nullable=True),
        sa.Column("answered_by", sa.String(length=255), nullable=True),
        sa.Column("answered_by_id", sa.String(length=255), nullable=True),
        sa.Column("answer_reason", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused", sa.Text(), nullable=True),
        sa.Column("decision", sa.String(length=16), nullable=True),
        sa.Column("decided_by", sa.String(length=255), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("source", sa.String(length=16), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["execution_id"], ["execution.id"], name=op.f("fk_approval_execution_id_execution"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("execution_id", "stage", name=op.f("pk_approval")),
    )
    op.create_index("ix_approval_answered", "approval", ["answered_at"], postgresql_where=_ANSWERED)


def downgrade() -> None:
    op.drop_index("ix_approval_answered", table_name="approval", postgresql_where=_ANSWERED)
    op.drop_table("approval")
    for name in reversed(_BATCH):
        op.drop_column("batch", name)
    op.drop_index("ix_execution_component", table_name="execution")
    op.create_index("ix_execution_component", "execution", ["component_id", "status"], unique=False)
    for name, *_ in reversed(_EXECUTION):
        op.drop_column("execution", name)
