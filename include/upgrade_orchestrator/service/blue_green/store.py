"""The rows of a cutover: read again in every round, written under lock and lease."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from upgrade_orchestrator.domain.blue_green.actions import Change
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.instance.instance import ROLLBACK_BATCH, Instance
from upgrade_orchestrator.domain.plan.batch import Batch, watched
from upgrade_orchestrator.domain.plan.pools import GREEN_BATCH
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork
from upgrade_orchestrator.service.runner.lease import LeaseKeeper

Record = Callable[[Execution, datetime], Change]


@dataclass(frozen=True, slots=True)
class PoolState:
    """The rows as last read; ``waits`` is the batch that counts for how long an action has had no effect."""

    execution: Execution
    green: Batch
    waits: Batch
    rows: list[Instance]
    now: datetime


class PoolStore:
    """One execution's rows; ``number`` is the batch whose clock is used: GREEN_BATCH or ROLLBACK_BATCH."""

    def __init__(self, ports: Ports, keeper: LeaseKeeper, execution_id: str, number: int) -> None:
        self._ports, self._keeper, self._execution_id, self._number = ports, keeper, execution_id, number
        self._state: PoolState | None = None
        self._unsaved = 0.0

    @property
    def state(self) -> PoolState:
        """The rows as last read, with the seconds watched since."""
        assert self._state is not None
        return self._state

    async def read(self) -> PoolState:
        """Read all rows again: other processes may have changed them."""
        async with self._ports.work() as work:
            execution = await work.executions.get(self._execution_id)
            rows = await work.executions.instances(self._execution_id)
            batches = {each.number: each for each in await work.executions.batches(self._execution_id, ROLLBACK_BATCH)}
            waits = watched(batches.get(self._number, Batch(self._number, "ROLLBACK")), self._unsaved)
            green = waits if self._number == GREEN_BATCH else batches[GREEN_BATCH]
            self._state = PoolState(execution, green, waits, rows, await work.now())
        return self._state

    def add_watched_seconds(self, seconds: float) -> PoolState:
        """Add ``seconds`` to the clock; returns the new state."""
        self._unsaved += seconds
        waits = watched(self.state.waits, seconds)
        green = waits if self._number == GREEN_BATCH else self.state.green
        self._state = replace(self.state, waits=waits, green=green)
        return self._state

    async def save_clocks(self, work: UnitOfWork) -> None:
        """Write the watched seconds, so that a crash loses only those since."""
        await work.executions.save_clocks(self._execution_id, [], self.state.waits)
        self._unsaved = 0.0

    async def write(self, record: Record) -> bool:
        """Write what ``record`` makes of the locked execution; False when a command has changed it since the read."""
        async with self._ports.work() as work:
            execution = await work.executions.lock(self._execution_id)
            await work.leases.require(self._keeper.lease)
            if execution.version != self.state.execution.version:
                return False  # a pause and its resume change it too
            change = record(execution, await work.now())
            await self._save(work, execution, change)
            await work.commit()
        if change.batch is not None:
            self._unsaved = 0.0
        return True

    async def note_waiting(self, restart: bool) -> bool:
        """Write the intent of an action, with ``restart`` a new clock for it; False as ``write``."""
        waits, now = self.state.waits, self.state.now
        begun = replace(waits, blocked_seconds=0.0, started_at=waits.started_at or now) if restart else None
        return await self.write(lambda execution, _: Change(execution, begun))

    async def _save(self, work: UnitOfWork, execution: Execution, change: Change) -> None:
        if change.batch is not None:
            await work.executions.save_batch(self._execution_id, change.batch)
        if change.rows:
            await work.executions.save_instances(self._execution_id, change.rows)
        if change.events:
            await work.events.append(change.execution, change.events)
        if change.execution != execution:
            await work.executions.save(change.execution)
