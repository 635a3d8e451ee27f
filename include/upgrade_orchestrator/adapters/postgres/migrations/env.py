"""Alembic's entry: runs on the connection that migrate.py passes in."""

from __future__ import annotations

from alembic import context

from upgrade_orchestrator.adapters.postgres.schema.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, version_table="upgrades_alembic_version")
with context.begin_transaction():
    context.run_migrations()
