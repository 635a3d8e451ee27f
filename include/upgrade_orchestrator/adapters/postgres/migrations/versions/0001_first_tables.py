"""first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# A trigger notifies waiters of an execution's events at commit, so that no writer can forget to.
NOTIFY_FUNCTION = """
CREATE FUNCTION notify_of_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('upgrades', execution_id) FROM (SELECT DISTINCT execution_id FROM written) AS told;
    RETURN NULL;
END $$
"""
NOTIFY_TRIGGER = """
CREATE TRIGGER event_notify AFTER INSERT ON event
REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION notify_of_events()
"""


def upgrade() -> None:
    op.create_table(
        "component",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_component")),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("actor", "key", name=op.f("pk_idempotency_key")),
    )
    op.create_index(op.f("ix_idempotency_key_created_at"), "idempotency_key", ["created_at"], unique=False)
    op.create_table(
        "lease",
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("component_id", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("token > 0", name=op.f("ck_lease_positive")),
        sa.PrimaryKeyConstraint("tenant_id", "component_id", name=op.f("pk_lease")),
    )
    op.create_table(
        "component_version",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("component_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("release_date", sa.Date(), nullable=True),
        sa.Column("end_of_life_date", sa.Date(), nullable=True),
        sa.Column("min_platform_version", sa.String(length=64), nullable=True),
        sa.Column("max_platform_version", sa.String(length=64), nullable=True),
        sa.Column("recommended", sa.Boolean(), nullable=False),
        sa.Column("lts", sa.Boolean(), nullable=False),
        sa.Column("dependencies", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["component_id"], ["component.id"], name=op.f("fk_component_version_component_id_component")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_component_version")),
    )
    op.create_index(op.f("ix_component_version_component_id"), "component_version", ["component_id"], unique=False)
    op.create_index("uq_component_version_version", "component_version", ["component_id", "version"], unique=True)
    op.create_table(
        "backup",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("component_id", sa.String(length=64), nullable=False),
        sa.Column("version_id", sa.String(length=64), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["component_id"], ["component.id"], name=op.f("fk_backup_component_id_component")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["component_version.id"], name=op.f("fk_backup_version_id_component_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backup")),
    )
    op.create_index("ix_backup_newest", "backup", ["tenant_id", "component_id", "created_at"], unique=False)
    op.create_table(
        "deployment",
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("component_id", sa.String(length=64), nullable=False),
        sa.Column("driver", sa.String(length=32), nullable=False),
        sa.Column("conn_id", sa.String(length=255), nullable=False),
        sa.Column("fleet", sa.String(length=255), nullable=False),
        sa.Column("current_version_id", sa.String(length=64), nullable=False),
        sa.Column("mixed", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["component_id"], ["component.id"], name=op.f("fk_deployment_component_id_component")),
        sa.ForeignKeyConstraint(
            ["current_version_id"],
            ["component_version.id"],
            name=op.f("fk_deployment_current_version_id_component_version"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "component_id", name=op.f("pk_deployment")),
    )
    op.create_table(
        "execution",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("component_id", sa.String(length=64), nullable=False),
        sa.Column("from_version_id", sa.String(length=64), nullable=False),
        sa.Column("to_version_id", sa.String(length=64), nullable=False),
        sa.Column("strategy", sa.String(length=16), nullable=False),
        sa.Column("request", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("plan", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("plan_hash", sa.String(length=64), nullable=False),
        sa.Column("shape", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("shard_key", sa.BigInteger(), nullable=False),
        sa.Column("total_instances", sa.Integer(), nullable=False),
        sa.Column("from_version", sa.String(length=64), nullable=False),
        sa.Column("to_version", sa.String(length=64), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("status_reason", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_from", sa.String(length=32), nullable=True),
        sa.Column("paused_seconds", sa.Float(), server_default=sa.text("0"), nullable=False),
        sa.Column("current_failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failure_phase", sa.String(length=32), nullable=True),
        sa.Column("warnings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("rollback_reason", sa.Text(), nullable=True),
        sa.Column("rollback_initiated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rollback_initiated_by", sa.String(length=255), nullable=True),
        sa.Column("last_sequence", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["component_id"], ["component.id"], name=op.f("fk_execution_component_id_component")),
        sa.ForeignKeyConstraint(
            ["from_version_id"], ["component_version.id"], name=op.f("fk_execution_from_version_id_component_version")
        ),
        sa.ForeignKeyConstraint(
            ["to_version_id"], ["component_version.id"], name=op.f("fk_execution_to_version_id_component_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_execution")),
    )
    op.create_index("ix_execution_component", "execution", ["component_id", "status"], unique=False)
    op.create_index(
        "ix_execution_dag", "execution", ["completed_at"], unique=False, postgresql_where=sa.text("status <> 'PENDING'")
    )
    op.create_index("ix_execution_tenant_newest", "execution", ["tenant_id", "created_at", "id"], unique=False)
    op.create_index(
        "uq_execution_active",
        "execution",
        ["tenant_id", "component_id"],
        unique=True,
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_table(
        "upgrade_path",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("component_id", sa.String(length=64), nullable=False),
        sa.Column("from_version_id", sa.String(length=64), nullable=False),
        sa.Column("to_version_id", sa.String(length=64), nullable=False),
        sa.Column("requires_downtime", sa.Boolean(), nullable=False),
        sa.Column("risk_level", sa.String(length=16), nullable=False),
        sa.Column("tested", sa.Boolean(), nullable=False),
        sa.Column("estimated_duration_minutes", sa.Integer(), nullable=True),
        sa.Column("pre_upgrade_steps", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("upgrade_steps", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("post_upgrade_steps", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("rollback_steps", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("validation_steps", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("blockers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["component_id"], ["component.id"], name=op.f("fk_upgrade_path_component_id_component")
        ),
        sa.ForeignKeyConstraint(
            ["from_version_id"],
            ["component_version.id"],
            name=op.f("fk_upgrade_path_from_version_id_component_version"),
        ),
        sa.ForeignKeyConstraint(
            ["to_version_id"], ["component_version.id"], name=op.f("fk_upgrade_path_to_version_id_component_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upgrade_path")),
    )
    op.create_index("uq_upgrade_path_way", "upgrade_path", ["from_version_id", "to_version_id"], unique=True)
    op.create_table(
        "batch",
        sa.Column("execution_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("blocked_since", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["execution_id"], ["execution.id"], name=op.f("fk_batch_execution_id_execution"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("execution_id", "number", name=op.f("pk_batch")),
    )
    op.create_table(
        "check_result",
        sa.Column("execution_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["execution_id"], ["execution.id"], name=op.f("fk_check_result_execution_id_execution"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("execution_id", "name", name=op.f("pk_check_result")),
    )
    op.create_table(
        "command",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("execution_id", sa.String(length=64), nullable=False),
        sa.Column("command", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column(
            "detail", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["execution_id"], ["execution.id"], name=op.f("fk_command_execution_id_execution"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_command")),
    )
    op.create_index(op.f("ix_command_execution_id"), "command", ["execution_id"], unique=False)
    op.create_table(
        "event",
        sa.Column("execution_id", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("what", sa.String(length=32), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["execution_id"], ["execution.id"], name=op.f("fk_event_execution_id_execution"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("execution_id", "sequence", name=op.f("pk_event")),
        sa.UniqueConstraint("id", name=op.f("uq_event_id")),
    )
    op.create_index(
        "ix_event_outbox",
        "event",
        ["execution_id", "sequence"],
        unique=False,
        postgresql_where=sa.text("published_at IS NULL"),
    )
    op.create_table(
        "instance",
        sa.Column("execution_id", sa.String(length=64), nullable=False),
        sa.Column("instance_id", sa.String(length=255), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("from_version", sa.String(length=64), nullable=False),
        sa.Column("to_version", sa.String(length=64), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("healthy", sa.Boolean(), nullable=True),
        sa.Column("last_health_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("step_started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("healthy_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revert", sa.String(length=32), nullable=True),
        sa.Column("revert_attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["execution_id"], ["execution.id"], name=op.f("fk_instance_execution_id_execution"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("execution_id", "instance_id", name=op.f("pk_instance")),
    )
    op.execute(NOTIFY_FUNCTION)
    op.execute(NOTIFY_TRIGGER)


def downgrade() -> None:
    op.execute("DROP TRIGGER event_notify ON event")
    op.execute("DROP FUNCTION notify_of_events()")
    op.drop_table("instance")
    op.drop_index("ix_event_outbox", table_name="event", postgresql_where=sa.text("published_at IS NULL"))
    op.drop_table("event")
    op.drop_index(op.f("ix_command_execution_id"), table_name="command")
    op.drop_table("command")
    op.drop_table("check_result")
    op.drop_table("batch")
    op.drop_index("uq_upgrade_path_way", table_name="upgrade_path")
    op.drop_table("upgrade_path")
    op.drop_index("uq_execution_active", table_name="execution", postgresql_where=sa.text("settled_at IS NULL"))
    op.drop_index("ix_execution_tenant_newest", table_name="execution")
    op.drop_index("ix_execution_dag", table_name="execution", postgresql_where=sa.text("status <> 'PENDING'"))
    op.drop_index("ix_execution_component", table_name="execution")
    op.drop_table("execution")
    op.drop_table("deployment")
    op.drop_index("ix_backup_newest", table_name="backup")
    op.drop_table("backup")
    op.drop_index("uq_component_version_version", table_name="component_version")
    op.drop_index(op.f("ix_component_version_component_id"), table_name="component_version")
    op.drop_table("component_version")
    op.drop_table("lease")
    op.drop_index(op.f("ix_idempotency_key_created_at"), table_name="idempotency_key")
    op.drop_table("idempotency_key")
    op.drop_table("component")
