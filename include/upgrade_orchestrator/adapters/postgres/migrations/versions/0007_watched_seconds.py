"""watched seconds instead of points in time, phases of a new pool, and rows of its own for a rollback's work.

What is under way keeps its clocks: what has passed of them by now counts as watched.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_ROWS_OF_ROLLBACK = """
    INSERT INTO rollback_instance (execution_id, instance_id, batch, position, status, from_version, to_version,
        attempts, healthy, last_health_at, error, completed_at, step_seconds, accepted_at, healthy_seconds)
    SELECT execution_id, instance_id, 0,
        row_number() OVER (PARTITION BY execution_id ORDER BY started_at DESC NULLS LAST, batch DESC, position DESC),
        revert, to_version, from_version, revert_attempts, healthy, last_health_at, error,
        CASE WHEN revert IN ('COMPLETED', 'FAILED') THEN coalesce(completed_at, step_started_at) END,
        greatest(extract(epoch from now() - coalesce(step_started_at, now())), 0), accepted_at,
        CASE WHEN healthy_since IS NOT NULL THEN greatest(extract(epoch from now() - healthy_since), 0) END
    FROM instance WHERE revert IS NOT NULL
"""
_SECONDS_OF_STEPS = """
    UPDATE instance SET step_seconds = greatest(extract(epoch from now() - step_started_at), 0),
        healthy_seconds =
            CASE WHEN healthy_since IS NOT NULL THEN greatest(extract(epoch from now() - healthy_since), 0) END
    WHERE step_started_at IS NOT NULL
"""
_SECONDS_OF_WAITS = """
    UPDATE batch SET blocked_seconds = greatest(extract(epoch from now() - blocked_since), 0)
    WHERE blocked_since IS NOT NULL
"""
# a pool that soaks proves itself again from now on; without a time at which its soak would be over it was ill
_SECONDS_OF_SOAKS = """
    UPDATE batch SET soak_seconds = greatest(extract(epoch from now() - switched_at), 0),
        healthy_seconds = CASE WHEN due_at IS NOT NULL THEN 0 END, due_at = NULL
    WHERE switched_at IS NOT NULL AND soaked_at IS NULL
"""
_PHASES = """
    UPDATE batch SET phase = CASE WHEN soaked_at IS NOT NULL THEN 'RETIRE' ELSE 'SOAK' END,
        phase_started_at = coalesce(soaked_at, switched_at)
    WHERE switched_at IS NOT NULL
"""
_TIMES_OF_PHASES = """
    UPDATE batch SET switched_at = phase_started_at,
        soaked_at = CASE WHEN phase IN ('RETIRE', 'DONE') THEN phase_started_at END
    WHERE phase IN ('SOAK', 'RETIRE', 'DONE')
"""
_STEPS_BEGIN_NOW = """
    UPDATE instance SET step_started_at = now() WHERE status IN ('DRAINING', 'UPGRADING', 'HEALTH_CHECKING')
"""
_ROLLBACK_IN_INSTANCES = """
    UPDATE instance SET revert_attempts = back.attempts, accepted_at = back.accepted_at, step_started_at = now()
    FROM rollback_instance back
    WHERE back.execution_id = instance.execution_id AND back.instance_id = instance.instance_id
"""


def upgrade() -> None:
    _make_rollback_instance()
    op.execute(_ROWS_OF_ROLLBACK)
    op.add_column("instance", sa.Column("step_seconds", sa.Float(), server_default=sa.text("0"), nullable=False))
    op.add_column("instance", sa.Column("healthy_seconds", sa.Float(), nullable=True))
    op.add_column("instance", sa.Column("replacement", sa.String(length=255), nullable=True))
    op.execute(_SECONDS_OF_STEPS)
    for name in ("step_started_at", "healthy_since", "revert_attempts"):
        op.drop_column("instance", name)
    op.add_column("batch", sa.Column("blocked_seconds", sa.Float(), nullable=True))
    op.add_column("batch", sa.Column("soak_seconds", sa.Float(), server_default=sa.text("0"), nullable=False))
    op.add_column("batch", sa.Column("healthy_seconds", sa.Float(), nullable=True))
    op.execute(_SECONDS_OF_WAITS)
    op.execute(_SECONDS_OF_SOAKS)
    op.add_column("batch", sa.Column("phase", sa.String(length=16), server_default="CHECK", nullable=False))
    op.add_column("batch", sa.Column("phase_started_at", _TIME, nullable=True))
    op.execute(_PHASES)
    for name in ("blocked_since", "switched_at", "soaked_at"):
        op.drop_column("batch", name)


def _make_rollback_instance() -> None:
    op.create_table(
        "rollback_instance",
        sa.Column("instance_id", sa.String(length=255), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("from_version", sa.String(length=64), nullable=False),
        sa.Column("to_version", sa.String(length=64), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("healthy", sa.Boolean(), nullable=True),
        sa.Column("last_health_at", _TIME, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("started_at", _TIME, nullable=True),
        sa.Column("completed_at", _TIME, nullable=True),
        sa.Column("step_seconds", sa.Float(), server_default=sa.text("0"), nullable=False),
        sa.Column("accepted_at", _TIME, nullable=True),
        sa.Column("healthy_seconds", sa.Float(), nullable=True),
        sa.Column("execution_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["execution_id"],
            ["execution.id"],
            name=op.f("fk_rollback_instance_execution_id_execution"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("instance_id", "execution_id", name=op.f("pk_rollback_instance")),
    )


def downgrade() -> None:
    for name in ("blocked_since", "switched_at", "soaked_at"):
        op.add_column("batch", sa.Column(name, _TIME, nullable=True))
    op.execute(_TIMES_OF_PHASES)
    op.execute("UPDATE batch SET due_at = now() WHERE switched_at IS NOT NULL AND soaked_at IS NULL")
    for name in ("blocked_seconds", "soak_seconds", "healthy_seconds", "phase", "phase_started_at"):
        op.drop_column("batch", name)
    op.add_column("instance", sa.Column("revert_attempts", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("instance", sa.Column("healthy_since", _TIME, nullable=True))
    op.add_column("instance", sa.Column("step_started_at", _TIME, nullable=True))
    op.execute(_STEPS_BEGIN_NOW)
    op.execute(_ROLLBACK_IN_INSTANCES)
    for name in ("healthy_seconds", "step_seconds", "replacement"):
        op.drop_column("instance", name)
    op.drop_table("rollback_instance")
