"""Migrates our database to the newest schema; run by the set-up, never at import."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from upgrade_orchestrator.adapters.postgres.engine.engine import sync_engine

VERSION_TABLE = "upgrades_alembic_version"
"Alembic's table with the last migration; env.py names it, too."
_LOCK = 0x75706772  # "upgr": concurrent set-ups run one after the other
_SHARED_FLEETS = text(
    """
    SELECT conn_id, fleet, string_agg(tenant_id || '/' || component_id, ', ' ORDER BY tenant_id, component_id)
    FROM deployment GROUP BY conn_id, fleet HAVING count(*) > 1 ORDER BY conn_id, fleet
    """
)
_ONE_DEPLOYMENT_A_FLEET = text("CREATE UNIQUE INDEX IF NOT EXISTS uq_deployment_fleet ON deployment (conn_id, fleet)")


def alembic_config() -> Config:
    """Alembic's configuration in code, so that no ini file has to be deployed."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def newest_schema() -> str:
    """The newest migration of this version."""
    return str(ScriptDirectory.from_config(alembic_config()).get_current_head())


def schema_of(connection: Connection) -> str | None:
    """The migration that the database is at; None before the first one."""
    if connection.scalar(text("SELECT to_regclass(:table)"), {"table": VERSION_TABLE}) is None:
        return None
    found = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608 - a constant
    return None if found is None else str(found)


def migrate(url: str) -> list[str]:
    """Apply the missing migrations, in one transaction; returns what is left for a person to put right."""
    config = alembic_config()
    with sync_engine(url).begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return _keep_fleets_apart(connection)


def _keep_fleets_apart(connection: Connection) -> list[str]:
    """Make the unique index of deployments by fleet; where earlier versions let two share one, name them instead.

    It is not part of a migration, so that such a registry can be migrated: the next set-up makes up for it.
    """
    shared = [
        f"fleet {fleet} of connection {conn_id} belongs to more than one deployment ({named}): give each its own fleet"
        " with PUT …/deployment, then run the set-up again"
        for conn_id, fleet, named in connection.execute(_SHARED_FLEETS)
    ]
    if not shared:
        connection.execute(_ONE_DEPLOYMENT_A_FLEET)
    return shared
