"""The seed's registry on a real database and a real fleet: what most integration tests start from."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from include.upgrades.bootstrap import ports_for
from include.upgrades.registry.document import entries_in
from include.upgrades.service.load_registry import load_registry
from include.upgrades.settings import Settings
from tests.integration.fleet.running_agent import TOKEN, RunningAgent
from tests.labs import seed
from tests.labs.scripted import AskedParses, ScriptedPeople, ScriptedRuns
from tests.labs.seed import BACKUP, COMPONENT, CONNECTION, NEW, OLD, TENANT
from tests.labs.world import World as AnyWorld

__all__ = [
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
]


@dataclass(frozen=True)
class World(AnyWorld):
    """The store is the database at ``url``, the fleet is the one of ``agent``, the backup is a file."""

    url: str
    agent: RunningAgent
    backup: Path

    def request(self, **changed: Any) -> dict[str, Any]:
        """A body of POST /tenants/{tenantId}/upgrades that is accepted."""
        return {"componentId": COMPONENT, "fromVersionId": OLD, "toVersionId": NEW, **changed}

    def rows(self, table: str) -> int:
        """How many rows the table has."""
        query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
        with self.connect() as connection:
            row = connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])

    def lease(self) -> tuple[str, int, bool]:
        """Owner, token and whether somebody holds it now."""
        query = "SELECT owner, token, expires_at > clock_timestamp() AND owner <> '' FROM lease"
        with self.connect() as connection:
            row = connection.execute(query).fetchone()
        assert row is not None
        return row[0], row[1], row[2]

    def end_lease(self) -> None:
        """As some seconds later, when its holder has been silent."""
        with self.connect() as connection:
            connection.execute("UPDATE lease SET expires_at = clock_timestamp() - interval '1 s'")

    def connect(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """A connection of the test's own, autocommit."""
        dsn = make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)
        return psycopg.connect(dsn, autocommit=True)


def document(fleet: str, backup: Path) -> dict[str, Any]:
    """The seed's content, with a true backup."""
    return seed.document(fleet, backup.as_uri(), backup.read_bytes(), datetime.now(UTC))


async def make_world(url: str, agent: RunningAgent, fleet: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Give the fleet's address to Airflow's connections, write a backup, load the registry."""
    address = urlsplit(agent.url)
    connection = {"conn_type": "http", "host": address.hostname, "port": address.port, "password": TOKEN}
    monkeypatch.setenv(f"AIRFLOW_CONN_{CONNECTION.upper()}", json.dumps(connection))
    backup = folder / "kafka-3.6.0.backup"
    backup.write_bytes(BACKUP)
    parses, airflow, people = AskedParses(), ScriptedRuns(), ScriptedPeople()
    ports = replace(ports_for(url, Settings()), parse_requests=parses, runs=airflow, human_tasks=people)
    await load_registry(ports, entries_in(document(fleet, backup)))
    return World(ports, fleet, agent.admin, parses, airflow, people, url, agent, backup)
