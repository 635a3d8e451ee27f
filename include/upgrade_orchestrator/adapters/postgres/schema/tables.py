"""The tables, all in our own database (never Airflow's); created by migrations/."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from upgrade_orchestrator.adapters.postgres.schema.columns import Id, Time, VersionText, metadata
from upgrade_orchestrator.adapters.postgres.schema.cursor_tables import followed, follower, relay
from upgrade_orchestrator.adapters.postgres.schema.instance_tables import instance, rollback_instance
from upgrade_orchestrator.adapters.postgres.schema.key_tables import idempotency_key
from upgrade_orchestrator.adapters.postgres.schema.registry_tables import (
    backup,
    component,
    component_version,
    deployment,
    upgrade_path,
)
from upgrade_orchestrator.domain.airflow.shards import SHARDS

__all__ = [
    "backup",
    "component",
    "component_version",
    "deployment",
    "followed",
    "follower",
    "idempotency_key",
    "instance",
    "metadata",
    "relay",
    "rollback_instance",
    "upgrade_path",
]

execution = Table(
    "execution",
    metadata,
    Column("id", Id, primary_key=True),
    Column("tenant_id", Id, nullable=False),
    Column("component_id", Id, ForeignKey("component.id"), nullable=False),
    Column("from_version_id", Id, ForeignKey("component_version.id"), nullable=False),
    Column("to_version_id", Id, ForeignKey("component_version.id"), nullable=False),
    Column("strategy", String(16), nullable=False),
    Column("request", JSONB, nullable=False),
    Column("plan", JSONB, nullable=False),
    Column("plan_hash", String(64), nullable=False),
    # read by the dag files at every parse: small, and never changed
    Column("shape", JSONB, nullable=False),
    Column("shard_key", BigInteger, nullable=False),
    Column("total_instances", Integer, nullable=False),
    Column("from_version", VersionText, nullable=False),
    Column("to_version", VersionText, nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("created_at", Time, nullable=False),
    Column("status", String(32), nullable=False),
    Column("status_reason", Text, nullable=False),
    Column("started_at", Time),
    Column("completed_at", Time),
    Column("settled_at", Time),
    Column("paused_at", Time),
    Column("paused_from", String(32)),
    Column("paused_seconds", Float, nullable=False, server_default=text("0")),
    Column("current_failures", Integer, nullable=False, server_default=text("0")),
    Column("accepted_failures", Integer, nullable=False, server_default=text("0")),
    Column("attention", JSONB),
    Column("version_scheme", String(16), nullable=False, server_default=text("'auto'")),
    Column("failure_phase", String(32)),
    Column("warnings", JSONB, nullable=False),
    Column("rollback_reason", Text),
    Column("rollback_initiated_at", Time),
    Column("rollback_initiated_by", String(255)),
    Column("canary_healthy", Boolean),
    Column("canary_polls", Integer, nullable=False, server_default=text("0")),
    Column("canary_last_poll_at", Time),
    Column("promoted_by", String(255)),
    Column("promoted_at", Time),
    Column("retry_of", Id),
    Column("revert_of", Id),
    Column("further_targets", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    Column("run_ref", String(64)),
    Column("dag_paused", Boolean, nullable=False, server_default=text("false")),
    Column("begins_in_worker", Boolean, nullable=False, server_default=text("true")),
    Column("last_sequence", BigInteger, nullable=False, server_default=text("0")),
    Column("version", Integer, nullable=False),
    # at most one unsettled execution for a tenant and component, even with concurrent requests
    Index("uq_execution_active", "tenant_id", "component_id", unique=True, postgresql_where=text("settled_at IS NULL")),
    Index("ix_execution_tenant_newest", "tenant_id", "created_at", "id"),
    # one for each filter of the list, so that a selective filter does not read all executions of the tenant
    Index("ix_execution_tenant_status", "tenant_id", "status", "created_at", "id"),
    Index("ix_execution_tenant_component", "tenant_id", "component_id", "created_at", "id"),
    Index("ix_execution_tenant_strategy", "tenant_id", "strategy", "created_at", "id"),
    # has all columns of the statistics, so that they need not read the wide rows
    Index(
        "ix_execution_component",
        "component_id",
        "strategy",
        postgresql_include=["status", "started_at", "completed_at", "paused_seconds"],
    ),
    # for those who follow executions that have just ended
    Index(
        "ix_execution_dag",
        "completed_at",
        postgresql_where=text("status <> 'PENDING'"),
    ),
    # for the query of the dag files at every parse: it has the same expression, with the same number of shards
    Index(
        "ix_execution_shard",
        text(f"(shard_key % {SHARDS})"),
        "completed_at",
        postgresql_where=text("started_at IS NOT NULL AND settled_at IS NOT NULL"),
    ),
)

batch = Table(
    "batch",
    metadata,
    Column("execution_id", Id, ForeignKey("execution.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("due_at", Time),
    Column("started_at", Time),
    Column("completed_at", Time),
    Column("blocked_seconds", Float),
    Column("phase", String(16), nullable=False, server_default=text("'CHECK'")),
    Column("phase_started_at", Time),
    Column("soak_seconds", Float, nullable=False, server_default=text("0")),
    Column("healthy_seconds", Float),
)

approval = Table(
    "approval",
    metadata,
    Column("execution_id", Id, ForeignKey("execution.id", ondelete="CASCADE"), primary_key=True),
    Column("stage", Integer, primary_key=True),
    # the plan that is approved: a decision on another plan does not count
    Column("plan_hash", String(64), nullable=False),
    Column("requested_at", Time, nullable=False),
    # the response given in Airflow's UI, before it is checked
    Column("answer", String(16)),
    Column("answered_by", String(255)),
    Column("answered_by_id", String(255)),
    Column("answer_reason", Text),
    Column("answered_at", Time),
    # why the last response did not count; shown in the next question
    Column("refused", Text),
    Column("decision", String(16)),
    Column("decided_by", String(255)),
    Column("decided_at", Time),
    Column("source", String(16)),
    Column("reason", Text),
    Index("ix_approval_answered", "answered_at", postgresql_where=text("answered_at IS NOT NULL AND decision IS NULL")),
)

check_result = Table(
    "check_result",
    metadata,
    Column("execution_id", Id, ForeignKey("execution.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("status", String(16), nullable=False),
    Column("message", Text, nullable=False),
    Column("started_at", Time),
    Column("completed_at", Time),
)

command = Table(
    "command",
    metadata,
    Column("id", Id, primary_key=True),
    Column("execution_id", Id, ForeignKey("execution.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("command", String(32), nullable=False),
    Column("actor", String(255), nullable=False),
    Column("source", String(16), nullable=False),
    Column("reason", Text),
    Column("detail", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("created_at", Time, nullable=False),
)

event = Table(
    "event",
    metadata,
    Column("execution_id", Id, ForeignKey("execution.id", ondelete="CASCADE"), primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("id", Id, nullable=False, unique=True),
    Column("tenant_id", Id, nullable=False),
    Column("what", String(32), nullable=False),
    Column("time", Time, nullable=False),
    Column("data", JSONB, nullable=False),
    Column("published_at", Time),
    # why Kafka rejects the event; until it is released it is not in the outbox
    Column("parked_at", Time),
    Column("parked_reason", Text),
    # the outbox: rows in which both are empty, ordered so that an event never comes before its predecessor
    Index(
        "ix_event_outbox",
        "execution_id",
        "sequence",
        postgresql_where=text("published_at IS NULL AND parked_at IS NULL"),
    ),
    Index("ix_event_parked", "parked_at", "id", postgresql_where=text("parked_at IS NOT NULL")),
)

lease = Table(
    "lease",
    metadata,
    Column("conn_id", String(255), primary_key=True),
    Column("fleet", String(255), primary_key=True),
    Column("owner", Id, nullable=False),
    Column("token", BigInteger, CheckConstraint("token > 0", name="positive"), nullable=False),
    Column("expires_at", Time, nullable=False),
)
