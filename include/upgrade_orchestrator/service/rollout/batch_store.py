"""What a runner knows of the rows, and where it writes them: every write checks lease and status anew."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from upgrade_orchestrator.domain.events import factory as telling
from upgrade_orchestrator.domain.execution.commands import SYSTEM
from upgrade_orchestrator.domain.execution.events import Event
from upgrade_orchestrator.domain.execution.execution import Execution, advance
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.lifecycle.canary_monitor import watch
from upgrade_orchestrator.domain.lifecycle.failures import judge
from upgrade_orchestrator.domain.plan.batch import Batch
from upgrade_orchestrator.domain.plan.direction import ROLLBACK_BATCH, Direction
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork
from upgrade_orchestrator.service.runner.lease import LeaseKeeper


@dataclass(frozen=True, slots=True)
class BatchState:
    """The rows as last read or written; ``now`` is the database's clock at that moment."""

    execution: Execution
    batch: Batch
    rows: dict[str, Instance]
    now: datetime


class BatchJournal:
    """Reads cheaply (the lease makes our own copy of the rows the truth), writes under lock and lease.

    Speaks of jobs: rows as seen from the direction in which the runner works.
    """

    def __init__(self, ports: Ports, keeper: LeaseKeeper, execution_id: str, number: int) -> None:
        self._ports, self._keeper, self._execution_id, self._number = ports, keeper, execution_id, number
        self.direction = Direction.BACKWARD if number == ROLLBACK_BATCH else Direction.FORWARD
        self._state: BatchState | None = None

    @property
    def state(self) -> BatchState:
        """What was read last."""
        assert self._state is not None
        return self._state

    @property
    def now(self) -> datetime:
        """The database's clock at the last read."""
        return self.state.now

    def jobs(self) -> list[Instance]:
        """The rows that this direction works on, in its order."""
        return self.direction.jobs(list(self.state.rows.values()), self.state.execution.status)

    def job(self, instance_id: str) -> Instance:
        """One of them."""
        return self.direction.job(self.state.rows[instance_id])

    async def read(self, fresh: bool) -> BatchState:
        """The execution's row; with ``fresh`` everything, since somebody else may have written."""
        async with self._ports.work() as work:
            execution = await work.executions.get(self._execution_id)
            now = await work.now()
            if self._state is None or fresh:
                rows = {each.instance_id: each for each in await work.executions.instances(self._execution_id)}
                self._state = BatchState(execution, await self._read_batch(work), rows, now)
            else:
                self._state = replace(self._state, execution=execution, now=now)
        return self._state

    async def _read_batch(self, work: UnitOfWork) -> Batch:
        batches = await work.executions.batches(self._execution_id, ROLLBACK_BATCH)
        return next((each for each in batches if each.number == self._number), Batch(self._number, "ROLLBACK"))

    def accept(self, instance_ids: Iterable[str]) -> None:
        """Remember that the fleet took their orders; written with their next move, and asked again after a crash."""
        taken = [replace(self.job(each), accepted_at=self.now) for each in instance_ids]
        self._state = replace(self.state, rows=self._merged(taken))

    async def begin(self, jobs: Sequence[Instance]) -> bool:
        """Write the intent to work on ``jobs``; False when the execution does not want that any more."""
        async with self._ports.work() as work:
            execution = await self._lock(work)
            if not self.direction.may_start(execution.status):
                return False
            await self._save(work, execution, jobs, await self._open_batch(work))
        return True

    async def _open_batch(self, work: UnitOfWork) -> list[Event]:
        batch = self.state.batch
        if batch.started_at is not None and batch.blocked_since is None:
            return []
        opened = replace(batch, started_at=batch.started_at or self.now, blocked_since=None)
        await work.executions.save_batch(self._execution_id, opened)
        self._state = replace(self.state, batch=opened)
        return [] if batch.started_at else [telling.batch_started(opened, self.of_batch())]

    async def write(self, jobs: Sequence[Instance]) -> bool:
        """Write what has changed; False, and nothing written, when an order was withdrawn just before it was given."""
        changed = [each for each in jobs if each != self.job(each.instance_id)]
        if not changed:
            return True
        async with self._ports.work() as work:
            execution = await self._lock(work)
            if self.direction.withdrawn(execution.status) and any(self._is_sent_on(each) for each in changed):
                self._state = replace(self.state, execution=execution)
                return False
            await self._save(work, execution, changed, [])
        return True

    def _is_sent_on(self, after: Instance) -> bool:
        was = self.job(after.instance_id).status
        return was is InstanceStatus.DRAINING and after.status is InstanceStatus.UPGRADING

    async def fail(self, reason: str) -> None:
        """End the execution as FAILED, unless it has left this work already."""
        async with self._ports.work() as work:
            execution = await self._lock(work)
            if not self.direction.may_start(execution.status):
                return
            moved, event = advance(execution, ExecutionStatus.FAILED, reason, SYSTEM, self.now)
            if self.direction is Direction.BACKWARD:
                moved = replace(moved, failure_phase="ROLLBACK")
            await work.events.append(moved, [event])
            moved = await work.executions.save(moved)
            await work.commit()
        self._state = replace(self.state, execution=moved)

    async def note_blocked(self) -> None:
        """Remember since when the fleet is short of instances, so that a crash does not start that clock again."""
        if self.state.batch.blocked_since is not None:
            return
        batch = replace(self.state.batch, blocked_since=self.now)
        async with self._ports.work() as work:
            await self._lock(work)
            await work.executions.save_batch(self._execution_id, batch)
            await work.commit()
        self._state = replace(self.state, batch=batch)

    async def finish_batch(self) -> bool:
        """Mark the batch completed and give the next one its due time; twice does no harm.

        Canaries are watched from here on. False when the execution has left this work meanwhile.
        """
        async with self._ports.work() as work:
            execution = await work.executions.lock(self._execution_id)
            batch = await self._read_batch(work)
            if batch.completed_at is not None:
                return True
            if not self.direction.may_start(execution.status):
                return False
            now = await work.now()
            done = replace(batch, completed_at=now)
            await work.executions.save_batch(self._execution_id, done)
            if self.direction is Direction.FORWARD:
                await self._set_due(work, now + timedelta(seconds=execution.request.batch_delay_seconds))
            moved, told = watch(execution, now)
            await work.events.append(execution, [telling.batch_completed(done, self.of_batch()), *told])
            if told:
                await work.executions.save(moved)
            await work.commit()
        return True

    async def _set_due(self, work: UnitOfWork, due: datetime) -> None:
        following = await work.executions.batches(self._execution_id, self._number + 1)
        if following:
            await work.executions.save_batch(self._execution_id, replace(following[0], due_at=due))

    async def _lock(self, work: UnitOfWork) -> Execution:
        execution = await work.executions.lock(self._execution_id)
        await work.leases.require(self._keeper.lease)
        return execution

    async def _save(
        self, work: UnitOfWork, execution: Execution, jobs: Sequence[Instance], events: Sequence[Event]
    ) -> None:
        before, after = self.state.rows, self._merged(jobs)
        moved = [after[each.instance_id] for each in jobs if each.status is not self.job(each.instance_id).status]
        judged, ends = execution, list[Event]()
        if self.direction is Direction.FORWARD:
            judged, ends = judge(execution, moved, self.now)
        told = [telling.instance_changed(before[each.instance_id], each) for each in moved]
        progress = [telling.progress(list(after.values()))] if moved else []
        await work.executions.save_instances(self._execution_id, [after[each.instance_id] for each in jobs])
        await work.events.append(execution, [*events, *told, *progress, *ends])
        if judged != execution:
            judged = await work.executions.save(judged)
        await work.commit()
        self._state = replace(self.state, execution=judged, rows=after)

    def worked_on(self) -> list[str]:
        """The instances in flight, forward or back: to each of them an order may be on its way."""
        return [each.instance_id for each in self.state.rows.values() if each.in_flight]

    def of_batch(self) -> list[Instance]:
        """The jobs of this batch."""
        return [each for each in self.jobs() if each.batch == self._number]

    def so_far(self) -> list[Instance]:
        """The jobs of this batch and of those before it."""
        return [each for each in self.jobs() if each.batch <= self._number]

    def _merged(self, jobs: Sequence[Instance]) -> dict[str, Instance]:
        rows = self.state.rows
        changed = {each.instance_id: self.direction.row(rows[each.instance_id], each) for each in jobs}
        return rows | changed
