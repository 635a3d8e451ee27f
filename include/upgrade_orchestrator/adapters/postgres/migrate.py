"""Migrates our database to the newest schema; run by the set-up, never at import."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from upgrade_orchestrator.adapters.postgres.engine.engine import sync_engine

_LOCK = 0x75706772  # "upgr": concurrent set-ups run one after the other


def alembic_config() -> Config:
    """Alembic's configuration in code, so that no ini file has to be deployed."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def migrate(url: str) -> None:
    """Apply the missing migrations, in one transaction."""
    config = alembic_config()
    with sync_engine(url).begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
