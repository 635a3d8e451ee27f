"""The seed's registry on a real database and a real fleet, with which most integration tests start."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from tests.integration.fleet.running_agent import TOKEN, RunningAgent
from tests.labs import seed
from tests.labs.scripted import AskedParses, ScriptedPeople, ScriptedRuns
from tests.labs.seed import BACKUP, COMPONENT, CONNECTION, NEW, OLD, TENANT
from tests.labs.world import World as AnyWorld
from upgrade_orchestrator.bootstrap import ports_for
from upgrade_orchestrator.cli.registry.document import entries_in
from upgrade_orchestrator.service.registry.load import load_registry
from upgrade_orchestrator.settings import Settings

__all__ = [
    "SETTINGS",
    "COMPONENT",
    "CONNECTION",
    "NEW",
    "OLD",
    "TENANT",
    "AskedParses",
    "ScriptedPeople",
    "ScriptedRuns",
    "World",
    "document",
    "make_world",
    "world_on",
    "write_backup",
]

SETTINGS = Settings(backup_roots="file:///,s3://,gopher://")
"Backups of tests may be anywhere."


@dataclass(frozen=True)
class World(AnyWorld):
    """The store is the database at ``url``, the fleet is the one of ``agent``, the backup is a file."""

    url: str
    agent: RunningAgent
    backup: Path

    def request(self, **changed: Any) -> dict[str, Any]:
        """A body of POST /tenants/{tenantId}/upgrades that is accepted."""
        return {"componentId": COMPONENT, "fromVersionId": OLD, "toVersionId": NEW, **changed}

    @cached_property
    def connection(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """An autocommit connection of the world's own, to look at what is stored."""
        return self.connect()

    def close(self) -> None:
        """Close that connection, if a test has used it."""
        if "connection" in vars(self):
            self.connection.close()

    def rows(self, *tables: str) -> int:
        """How many rows the tables have together."""
        counts = (sql.SQL("(SELECT count(*) FROM {})").format(sql.Identifier(each)) for each in tables)
        row = self.connection.execute(sql.SQL("SELECT {}").format(sql.SQL(" + ").join(counts))).fetchone()
        assert row is not None
        return int(row[0])

    def lease(self) -> tuple[str, int, bool]:
        """Owner, token and whether the lease is held now."""
        query = "SELECT owner, token, expires_at > clock_timestamp() AND owner <> '' FROM lease"
        with self.connect() as connection:
            row = connection.execute(query).fetchone()
        assert row is not None
        return row[0], row[1], row[2]

    def end_lease(self) -> None:
        """Make the lease expire, as if its holder had been silent for some seconds."""
        with self.connect() as connection:
            connection.execute("UPDATE lease SET expires_at = clock_timestamp() - interval '1 s'")

    def connect(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """An autocommit connection of the test's own."""
        dsn = make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)
        return psycopg.connect(dsn, autocommit=True)


def document(fleet: str, backup: Path) -> dict[str, Any]:
    """The seed's content, with the real backup."""
    return seed.document(fleet, backup.as_uri(), backup.read_bytes(), datetime.now(UTC))


async def make_world(url: str, agent: RunningAgent, fleet: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Write a backup, load the registry, and return the world on it."""
    backup = write_backup(folder)
    world = world_on(url, agent, fleet, backup, monkeypatch)
    await load_registry(world.ports, entries_in(document(fleet, backup)), reset_current=True)  # one that is used again
    return world


def write_backup(folder: Path) -> Path:
    """The registry document of the world."""
    backup = folder / "kafka-3.6.0.backup"
    backup.write_bytes(BACKUP)
    return backup


def world_on(url: str, agent: RunningAgent, fleet: str, backup: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """The world on a registry that is loaded already; the fleet's address becomes an Airflow connection."""
    address = urlsplit(agent.url)
    connection = {"conn_type": "http", "host": address.hostname, "port": address.port, "password": TOKEN}
    monkeypatch.setenv(f"AIRFLOW_CONN_{CONNECTION.upper()}", json.dumps(connection))
    parses, airflow, people = AskedParses(), ScriptedRuns(), ScriptedPeople()
    ports = ports_for(url, SETTINGS)
    ports = replace(ports, parse_requests=parses, runs=airflow, human_tasks=people)
    return World(ports, fleet, agent.admin, parses, airflow, people, url, agent, backup)
