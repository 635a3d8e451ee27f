"""Brings our database to the newest schema; run by the set-up, never at import."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from upgrade_orchestrator.adapters.postgres.engine.engine import sync_engine

_LOCK = 0x75706772  # "upgr": two set-ups at once take turns


def alembic_config() -> Config:
    """Alembic's configuration, in code: there is no ini file to forget."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def migrate(url: str) -> None:
    """Apply what is missing, in one transaction."""
    config = alembic_config()
    with sync_engine(url).begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
