"""The seed's registry on a real database and a real fleet: what most integration tests start from."""

import hashlib
import json
from collections.abc import Sequence
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

from include.upgrades.adapters.postgres.signals import PostgresSignals
from include.upgrades.bootstrap import ports_for
from include.upgrades.domain.approval import Answer
from include.upgrades.domain.errors import Unavailable
from include.upgrades.domain.execution import dag_id_of
from include.upgrades.domain.task_states import RunView
from include.upgrades.registry.document import entries_in
from include.upgrades.service.airflow_ports import HumanTask
from include.upgrades.service.live_feed import LiveFeed
from include.upgrades.service.load_registry import load_registry
from include.upgrades.service.ports import Ports
from include.upgrades.settings import Settings
from tests.integration.fleet.running_agent import TOKEN, RunningAgent

TENANT, COMPONENT, OLD, NEW = "550e8400", "aaa-111", "bbb-222", "ccc-333"
CONNECTION = "demo_fleet"


class AskedParses:
    """Port ParseRequests where no Airflow runs: remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def ask(self, execution_id: str) -> None:
        self.asked.append(execution_id)


class ScriptedRuns:
    """Port AirflowRuns where no Airflow runs: shows the runs that the test gives it, by DAG id."""

    def __init__(self) -> None:
        self.runs: dict[str, RunView] = {}
        self.unpaused: list[str] = []
        self.away = False

    def show(self, execution_id: str, run: RunView) -> None:
        """What Airflow shows of the execution's run from now on."""
        self.runs[dag_id_of(execution_id)] = run

    async def read(self, dag_ids: Sequence[str], with_tasks: bool = False) -> dict[str, RunView]:
        self._answer()
        return {each: self.runs[each] for each in dag_ids if each in self.runs}

    async def begin_lost_again(self, seconds: float) -> list[str]:
        self._answer()
        return []

    async def unpause(self, dag_id: str) -> None:
        self._answer()
        if dag_id in self.runs and self.runs[dag_id].paused:
            self.unpaused.append(dag_id)
            self.runs[dag_id] = replace(self.runs[dag_id], paused=False)

    def _answer(self) -> None:
        if self.away:
            raise Unavailable("no Airflow at the moment")


class ScriptedPeople:
    """Port HumanTasks where no Airflow runs: who may approve, and which tasks wait for people."""

    def __init__(self) -> None:
        self.approvers: set[str] = set()
        self.waits: list[HumanTask] = []
        self.released: list[tuple[HumanTask, bool, str | None]] = []
        self.given: dict[HumanTask, Answer] = {}
        self.words: dict[HumanTask, str] = {}
        self.away = False

    async def may_approve(self, user_id: str, user_name: str) -> bool:
        self._answer()
        return user_name in self.approvers

    async def waiting(self, dag_id: str | None = None) -> list[HumanTask]:
        self._answer()
        return [each for each in self.waits if dag_id in (None, each.dag_id)]

    async def answers(self, tasks: Sequence[HumanTask]) -> dict[HumanTask, Answer]:
        self._answer()
        return {each: self.given[each] for each in tasks if each in self.given}

    async def ask_again(self, task: HumanTask, body: str) -> None:
        self._answer()
        self.given.pop(task, None)
        self.words[task] = body

    async def release(self, task: HumanTask, approved: bool, by: str | None) -> bool:
        self._answer()
        if task not in self.waits:
            return False
        self.waits.remove(task)
        self.released.append((task, approved, by))
        return True

    def _answer(self) -> None:
        if self.away:
            raise Unavailable("no Airflow at the moment")


@dataclass(frozen=True)
class World:
    """`ports` reach everything; `agent`, `fleet` can be broken; `parses`, `airflow` and `people` play Airflow."""

    ports: Ports
    url: str
    agent: RunningAgent
    fleet: str
    backup: Path
    parses: AskedParses
    airflow: ScriptedRuns
    people: ScriptedPeople

    def request(self, **changed: Any) -> dict[str, Any]:
        """A body of POST /tenants/{tenantId}/upgrades that is accepted."""
        return {"componentId": COMPONENT, "fromVersionId": OLD, "toVersionId": NEW, **changed}

    @cached_property
    def connection(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """One of the world's own for a look at what is stored, autocommit."""
        return self.connect()

    def close(self) -> None:
        """Close that one, where a test has looked."""
        if "connection" in vars(self):
            self.connection.close()

    def rows(self, *tables: str) -> int:
        """How many rows the tables have together."""
        counts = (sql.SQL("(SELECT count(*) FROM {})").format(sql.Identifier(each)) for each in tables)
        row = self.connection.execute(sql.SQL("SELECT {}").format(sql.SQL(" + ").join(counts))).fetchone()
        assert row is not None
        return int(row[0])

    def connect(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """A connection of the test's own, autocommit."""
        dsn = make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)
        return psycopg.connect(dsn, autocommit=True)


def document(fleet: str, backup: Path) -> dict[str, Any]:
    """The seed's content: one component, two versions, the path between them, a deployment and a true backup."""
    content = backup.read_bytes()
    return {
        "components": [{"id": COMPONENT, "name": "kafka"}],
        "versions": [
            {"id": OLD, "componentId": COMPONENT, "version": "3.6.0"},
            {"id": NEW, "componentId": COMPONENT, "version": "3.7.0", "dependencies": {}},
        ],
        "upgradePaths": [
            {"id": "path-1", "componentId": COMPONENT, "fromVersionId": OLD, "toVersionId": NEW, "tested": True}
        ],
        "deployments": [
            {
                "tenantId": TENANT,
                "componentId": COMPONENT,
                "driver": "agent",
                "connId": CONNECTION,
                "fleet": fleet,
                "currentVersionId": OLD,
            }
        ],
        "backups": [
            {
                "id": "backup-1",
                "tenantId": TENANT,
                "componentId": COMPONENT,
                "versionId": OLD,
                "location": backup.as_uri(),
                "sizeBytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                "createdAt": datetime.now(UTC).isoformat(),
            }
        ],
    }


async def make_world(url: str, agent: RunningAgent, fleet: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Write a backup, load the registry, and stand on it."""
    backup = write_backup(folder)
    world = world_on(url, agent, fleet, backup, monkeypatch)
    await load_registry(world.ports, entries_in(document(fleet, backup)))
    return world


def write_backup(folder: Path) -> Path:
    """What the registry says there is."""
    backup = folder / "kafka-3.6.0.backup"
    backup.write_bytes(b"everything that was there\n" * 1000)
    return backup


def world_on(url: str, agent: RunningAgent, fleet: str, backup: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Where the registry is loaded already; the fleet's address is given to Airflow's connections."""
    address = urlsplit(agent.url)
    connection = {"conn_type": "http", "host": address.hostname, "port": address.port, "password": TOKEN}
    monkeypatch.setenv(f"AIRFLOW_CONN_{CONNECTION.upper()}", json.dumps(connection))
    parses, airflow, people = AskedParses(), ScriptedRuns(), ScriptedPeople()
    ports = ports_for(url, Settings())
    live = LiveFeed(ports.work, PostgresSignals(url))  # not the process's own, which stays closed once it was
    ports = replace(ports, parse_requests=parses, runs=airflow, human_tasks=people, live=live)
    return World(ports, url, agent, fleet, backup, parses, airflow, people)
