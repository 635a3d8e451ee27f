"""The tables of the component registry (see tables.py)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, ForeignKey, Index, Integer, String, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from upgrade_orchestrator.adapters.postgres.schema.columns import Id, Time, VersionText, created, metadata

component = Table(
    "component",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(255), nullable=False),
    Column("description", Text),
    Column("version_scheme", String(16), nullable=False, server_default=text("'auto'")),
    Column("backup_required", Boolean, nullable=False, server_default=text("true")),
    created(),
)

component_version = Table(
    "component_version",
    metadata,
    Column("id", Id, primary_key=True),
    Column("component_id", Id, ForeignKey("component.id"), nullable=False, index=True),
    Column("version", VersionText, nullable=False),
    Column("status", String(16), nullable=False),
    Column("release_date", Date),
    Column("end_of_life_date", Date),
    Column("min_platform_version", VersionText),
    Column("max_platform_version", VersionText),
    Column("recommended", Boolean, nullable=False),
    Column("lts", Boolean, nullable=False),
    Column("dependencies", JSONB, nullable=False),
    Column("notes", Text),
    created(),
    Index("uq_component_version_version", "component_id", "version", unique=True),
)

upgrade_path = Table(
    "upgrade_path",
    metadata,
    Column("id", Id, primary_key=True),
    Column("component_id", Id, ForeignKey("component.id"), nullable=False),
    Column("from_version_id", Id, ForeignKey("component_version.id"), nullable=False),
    Column("to_version_id", Id, ForeignKey("component_version.id"), nullable=False),
    Column("requires_downtime", Boolean, nullable=False),
    Column("risk_level", String(16), nullable=False),
    Column("tested", Boolean, nullable=False),
    Column("estimated_duration_minutes", Integer),
    Column("pre_upgrade_steps", JSONB, nullable=False),
    Column("upgrade_steps", JSONB, nullable=False),
    Column("post_upgrade_steps", JSONB, nullable=False),
    Column("rollback_steps", JSONB, nullable=False),
    Column("validation_steps", JSONB, nullable=False),
    Column("blockers", JSONB, nullable=False),
    Column("notes", Text),
    created(),
    Index("uq_upgrade_path_way", "from_version_id", "to_version_id", unique=True),
)

deployment = Table(
    "deployment",
    metadata,
    Column("tenant_id", Id, primary_key=True),
    Column("component_id", Id, ForeignKey("component.id"), primary_key=True),
    Column("driver", String(32), nullable=False),
    Column("conn_id", String(255), nullable=False),
    Column("fleet", String(255), nullable=False),
    Column("current_version_id", Id, ForeignKey("component_version.id"), nullable=False),
    Column("mixed", JSONB),
    created(),
    # made by the set-up, unless earlier versions let two deployments share a fleet (see migrate.py)
    Index("uq_deployment_fleet", "conn_id", "fleet", unique=True),
)

backup = Table(
    "backup",
    metadata,
    Column("id", Id, primary_key=True),
    Column("tenant_id", Id, nullable=False),
    Column("component_id", Id, ForeignKey("component.id"), nullable=False),
    Column("version_id", Id, ForeignKey("component_version.id"), nullable=False),
    Column("location", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("created_at", Time, nullable=False),
    Index("ix_backup_newest", "tenant_id", "component_id", "created_at"),
)
