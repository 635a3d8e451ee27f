"""Fixtures that are built only on the fixtures of the implementing folder."""

from typing import Any

import pytest

from tests.store_contract.stores import Added, Store, new_execution, rows
from tests.unit.domain.builders import planned
from upgrade_orchestrator.domain.execution.execution import Execution


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
