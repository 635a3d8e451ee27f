"""The real store, and executions to put into it."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from include.upgrades.adapters.postgres.unit_of_work import PostgresUnitOfWork
from include.upgrades.bootstrap import close_ports
from include.upgrades.domain.execution import Execution
from include.upgrades.domain.instance import Instance
from include.upgrades.domain.registry import Component, ComponentVersion
from include.upgrades.service.ports import UnitOfWork
from tests.unit.domain.builders import make_execution, make_instance, make_request, name, planned

Store = Callable[[], UnitOfWork]
Added = Callable[..., Awaitable[Execution]]
LEASE_SECONDS = 0.4
_numbers = itertools.count(1)


@pytest.fixture
async def store(postgres_url: str) -> AsyncIterator[Store]:
    """Makes units of work on a database that knows component aaa-111 with its two versions."""
    make = partial(PostgresUnitOfWork, postgres_url, LEASE_SECONDS)
    async with make() as work:
        await work.registry.put(Component(id="aaa-111", name="kafka"))
        for each, version in (("bbb-222", "3.6.0"), ("ccc-333", "3.7.0")):
            await work.registry.put(ComponentVersion(id=each, component_id="aaa-111", version=version))
        await work.commit()
    yield make
    await close_ports()


def new_execution(**fields: Any) -> Execution:
    """Each of a tenant of its own unless one is given, since a tenant has one at a time."""
    number = next(_numbers)
    execution = make_execution(id=f"e-{number:04d}", tenant_id=f"t-{number}", total_instances=3)
    return replace(execution, **({"request": make_request(total_instances=3)} | fields))


def rows(count: int = 3) -> list[Instance]:
    return [make_instance(name(each), position=each) for each in range(count)]


@pytest.fixture
def added(store: Store) -> Added:
    """Stores an execution of three instances and commits."""

    async def add(**fields: Any) -> Execution:
        execution = new_execution(**fields)
        async with store() as work:
            await work.executions.add(execution, planned(3, batch_size=2), rows())
            await work.commit()
        return execution

    return add
