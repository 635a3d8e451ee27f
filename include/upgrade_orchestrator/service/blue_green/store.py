"""The rows of a switch-over: read anew at every look, written under lock and lease."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from upgrade_orchestrator.domain.blue_green.steps import Change
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.instance.instance import Instance
from upgrade_orchestrator.domain.plan.batch import Batch
from upgrade_orchestrator.domain.plan.direction import ROLLBACK_BATCH
from upgrade_orchestrator.domain.plan.pools import GREEN_BATCH
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork
from upgrade_orchestrator.service.runner.lease import LeaseKeeper

Record = Callable[[Execution, datetime], Change]


@dataclass(frozen=True, slots=True)
class PoolState:
    """The rows as last read; ``waits`` is the batch that keeps since when a step has no effect."""

    execution: Execution
    green: Batch
    waits: Batch
    rows: list[Instance]
    now: datetime


class PoolJournal:
    """One execution's rows; ``number`` is the batch whose clock is used: forth the green one, back the rollback's."""

    def __init__(self, ports: Ports, keeper: LeaseKeeper, execution_id: str, number: int) -> None:
        self._ports, self._keeper, self._execution_id, self._number = ports, keeper, execution_id, number
        self._state: PoolState | None = None

    @property
    def state(self) -> PoolState:
        """What was read last."""
        assert self._state is not None
        return self._state

    async def read(self) -> PoolState:
        """Everything, since anybody may have written."""
        async with self._ports.work() as work:
            execution = await work.executions.get(self._execution_id)
            rows = await work.executions.instances(self._execution_id)
            batches = {each.number: each for each in await work.executions.batches(self._execution_id, ROLLBACK_BATCH)}
            waits = batches.get(self._number, Batch(self._number, "ROLLBACK"))
            self._state = PoolState(execution, batches[GREEN_BATCH], waits, rows, await work.now())
        return self._state

    async def write(self, record: Record) -> bool:
        """Write what ``record`` makes of the locked execution; False when a command has changed it since the read."""
        async with self._ports.work() as work:
            execution = await work.executions.lock(self._execution_id)
            await work.leases.require(self._keeper.lease)
            if execution.version != self.state.execution.version:
                return False  # also by a pause and its end: that has pushed the clocks out
            await self._save(work, execution, record(execution, await work.now()))
            await work.commit()
        return True

    async def note_waiting(self, since: datetime | None) -> bool:
        """The intent: from ``since`` on (None: as before) a step is tried; False when it is not wanted any more."""
        waits = self.state.waits
        begun = waits if since is None else replace(waits, blocked_since=since, started_at=waits.started_at or since)
        return await self.write(lambda execution, _: Change(execution, None if begun == waits else begun))

    async def _save(self, work: UnitOfWork, execution: Execution, change: Change) -> None:
        if change.batch is not None:
            await work.executions.save_batch(self._execution_id, change.batch)
        if change.rows:
            await work.executions.save_instances(self._execution_id, change.rows)
        if change.events:
            await work.events.append(change.execution, change.events)
        if change.execution != execution:
            await work.executions.save(change.execution)
