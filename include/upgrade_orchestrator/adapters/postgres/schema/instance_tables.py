"""The rows of instances, in the upgrade and in its rollback."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Integer, String, Table, Text, text

from upgrade_orchestrator.adapters.postgres.schema.columns import Id, Time, VersionText, metadata

instance = Table(
    "instance",
    metadata,
    Column("execution_id", Id, ForeignKey("execution.id", ondelete="CASCADE"), primary_key=True),
    Column("instance_id", String(255), primary_key=True),
    Column("batch", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("status", String(32), nullable=False),
    Column("from_version", VersionText),
    Column("to_version", VersionText, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("healthy", Boolean),
    Column("last_health_at", Time),
    Column("error", Text),
    Column("started_at", Time),
    Column("completed_at", Time),
    Column("step_seconds", Float, nullable=False, server_default=text("0")),
    Column("accepted_at", Time),
    Column("healthy_seconds", Float),
    Column("revert", String(32)),
    Column("replacement", String(255)),
    Column("reported", VersionText),
    Column("absent_seconds", Float),
    Column("gone", Boolean, nullable=False, server_default=text("false")),
    Column("drained_before", Boolean, nullable=False, server_default=text("false")),
    Column("relapses", Integer, nullable=False, server_default=text("0")),
)
_OF_THE_INSTANCE_ONLY = (
    "execution_id",
    "revert",
    "replacement",
    "reported",
    "absent_seconds",
    "gone",
    "drained_before",
    "relapses",
)

# the work of a rollback: a row for each instance that it has started on
rollback_instance = Table(
    "rollback_instance",
    metadata,
    *(column._copy() for column in instance.c if column.name not in _OF_THE_INSTANCE_ONLY),
    Column("execution_id", Id, ForeignKey("execution.id", ondelete="CASCADE"), primary_key=True),
)
