"""Dag files on a real database of ours; building a DAG needs no running Airflow."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from tests.integration.conftest import memory_folder, migrated_template, postgres_server, postgres_url
from tests.store_contract.stores import new_execution
from tests.unit.domain.builders import make_instance, name, planned
from upgrade_orchestrator.adapters.airflow import connections
from upgrade_orchestrator.adapters.postgres.unit_of_work import PostgresUnitOfWork
from upgrade_orchestrator.bootstrap import close_ports
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.plan.plan import Plan
from upgrade_orchestrator.domain.registry.entries import Component, ComponentVersion

__all__ = ["database", "executions", "memory_folder", "migrated_template", "postgres_server", "postgres_url"]

Add = Callable[..., Execution]


@pytest.fixture
def database(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The database behind the connection that the dag files use, with component aaa-111 and its versions."""
    point_to(postgres_url, monkeypatch)
    asyncio.run(_fill(postgres_url))
    return postgres_url


def point_to(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give Airflow the connection upgrades_db."""
    parts = make_url(url)
    connection = {"conn_type": "postgres", "host": parts.host, "port": parts.port, "schema": parts.database}
    connection |= {"login": parts.username, "password": parts.password}
    monkeypatch.setenv("AIRFLOW_CONN_UPGRADES_DB", json.dumps(connection))
    # A dag file's process ends with its lookups. Here the process goes on, and later tests have other databases.
    monkeypatch.setattr(connections, "_resolved", {})


async def _fill(url: str) -> None:
    async with PostgresUnitOfWork(url, 10) as work:
        await work.registry.put(Component(id="aaa-111", name="kafka"))
        for each, version in (("bbb-222", "3.6.0"), ("ccc-333", "3.7.0")):
            await work.registry.put(ComponentVersion(id=each, component_id="aaa-111", version=version))
        await work.commit()
    await close_ports()


@pytest.fixture
def executions(database: str) -> Add:
    """Stores an execution (its fields, and the plan it has) and returns it."""

    def add(plan: Plan | None = None, **fields: Any) -> Execution:
        execution = new_execution(**fields)
        asyncio.run(_add(database, execution, plan or planned(5, batch_size=2)))
        return execution

    return add


async def _add(url: str, execution: Execution, plan: Plan) -> None:
    rows = [make_instance(name(each), position=each) for each in range(len(plan.instances))]
    async with PostgresUnitOfWork(url, 10) as work:
        await work.executions.add(execution, plan, rows)
        await work.commit()
    await close_ports()
