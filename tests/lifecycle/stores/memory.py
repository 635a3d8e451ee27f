"""The lifecycle machine's store in memory."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from tests.labs.memory.numbered_ids import numbered_ids
from tests.labs.memory.world import memory_ports
from tests.lifecycle.stepped import LEASE_SECONDS, Clock
from upgrade_orchestrator.adapters.memory.engine.database import MemoryDatabase
from upgrade_orchestrator.adapters.memory.engine.tables import (
    APPROVAL,
    BATCH,
    COMMAND,
    DEPLOYMENT,
    EXECUTION,
    INSTANCE,
    LEASE,
    ROLLBACK_INSTANCE,
    ExecutionRow,
)
from upgrade_orchestrator.service.ports.unit_of_work import Ports


class MemoryStore:
    """A store in this process; see stores.py."""

    def __init__(self) -> None:
        self._database = MemoryDatabase()

    def ports(self, clock: Clock) -> Ports:
        self._database.now, self._database.new_id = clock.now, numbered_ids(clock.now)
        return memory_ports(self._database, LEASE_SECONDS)

    def everything(self, tenant: str) -> Any:
        commands = self._database.committed(COMMAND)
        return [
            (
                row,
                self._of(INSTANCE.name, row.execution.id),
                self._of(BATCH.name, row.execution.id),
                sum(each.execution_id == row.execution.id for each in commands),
            )
            for row in self._executions(tenant)
        ]

    def unsettled(self, tenant: str) -> list[str]:
        return [each.execution.id for each in self._executions(tenant) if each.execution.settled_at is None]

    def current_version(self, tenant: str) -> str:
        found = self._database.committed(DEPLOYMENT)
        return next(each.current_version_id for each in found if each.tenant_id == tenant)

    def end_lease(self, tenant: str) -> None:
        fleets = {each.fleet for each in self._database.committed(DEPLOYMENT) if each.tenant_id == tenant}
        for key, row in list(self._database.tables.of(LEASE.name, None)):
            if key[1] in fleets:
                self._database.tables.put(LEASE.name, key, replace(row, expires_at=self._database.now()))

    def last_change(self, execution_id: str) -> object:
        row = self._execution(execution_id)
        return row.last_sequence, row.execution.version

    def is_settled(self, execution_id: str) -> bool:
        return self._execution(execution_id).execution.settled_at is not None

    def waiting_stage(self, execution_id: str) -> int | None:
        asked = (row for _, row in self._of(APPROVAL.name, execution_id) if row.decision is None)
        return next((row.stage for row in asked), None)

    def instance(self, execution_id: str, instance_id: str, back: bool) -> dict[str, Any]:
        table = ROLLBACK_INSTANCE if back else INSTANCE
        row = self._database.tables.get(table.name, (execution_id, instance_id))
        return {"execution_id": execution_id, **asdict(row), "budget": self._execution(execution_id).plan.budget}

    async def close(self) -> None:
        """Nothing to do: it ends with the test."""

    def _of(self, table: str, first: str) -> list[tuple[Any, Any]]:
        return list(self._database.tables.of(table, first))

    def _executions(self, tenant: str) -> list[ExecutionRow]:
        found = [each for each in self._database.committed(EXECUTION) if each.execution.tenant_id == tenant]
        return sorted(found, key=lambda each: each.execution.id)

    def _execution(self, execution_id: str) -> ExecutionRow:
        (found,) = (row for _, row in self._of(EXECUTION.name, execution_id))
        assert isinstance(found, ExecutionRow)
        return found
