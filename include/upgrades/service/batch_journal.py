"""What a runner knows of the rows, and where it writes them: every write checks lease and status anew."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from include.upgrades.domain import telling
from include.upgrades.domain.batch import Batch
from include.upgrades.domain.commands import SYSTEM
from include.upgrades.domain.events import Event
from include.upgrades.domain.execution import Execution, advance
from include.upgrades.domain.failures import judge
from include.upgrades.domain.instance import Instance, InstanceStatus
from include.upgrades.domain.states import UPGRADING, ExecutionStatus
from include.upgrades.service.lease_keeper import LeaseKeeper
from include.upgrades.service.ports import Ports, UnitOfWork


@dataclass(frozen=True, slots=True)
class BatchState:
    """The rows as last read or written; ``now`` is the database's clock at that moment."""

    execution: Execution
    batch: Batch
    instances: list[Instance]
    now: datetime


class BatchJournal:
    """Reads cheaply (the lease makes our own copy of the instances the truth), writes under lock and lease."""

    def __init__(self, ports: Ports, keeper: LeaseKeeper, execution_id: str) -> None:
        self._ports, self._keeper, self._execution_id = ports, keeper, execution_id
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

    def instance(self, instance_id: str) -> Instance:
        """One of the instances."""
        return next(each for each in self.state.instances if each.instance_id == instance_id)

    async def read(self, number: int, fresh: bool) -> BatchState:
        """The execution's row; with ``fresh`` everything, since somebody else may have written."""
        async with self._ports.work() as work:
            execution = await work.executions.get(self._execution_id)
            now = await work.now()
            if self._state is None or fresh:
                batch = (await work.executions.batches(self._execution_id))[number - 1]
                self._state = BatchState(execution, batch, await work.executions.instances(self._execution_id), now)
            else:
                self._state = replace(self._state, execution=execution, now=now)
        return self._state

    def accept(self, instances: Iterable[Instance]) -> None:
        """Remember that the fleet took their orders; written with their next move, and asked again after a crash."""
        taken = [replace(self.instance(each.instance_id), accepted_at=self.now) for each in instances]
        self._state = replace(self.state, instances=self._merged(taken))

    async def begin(self, instances: Sequence[Instance]) -> bool:
        """Write the intent to work on ``instances``; False when the execution does not want that any more."""
        async with self._ports.work() as work:
            execution = await self._lock(work)
            if execution.status not in UPGRADING:
                return False
            await self._save(work, execution, instances, await self._open_batch(work))
        return True

    async def _open_batch(self, work: UnitOfWork) -> list[Event]:
        batch = self.state.batch
        if batch.started_at is not None and batch.blocked_since is None:
            return []
        opened = replace(batch, started_at=batch.started_at or self.now, blocked_since=None)
        await work.executions.save_batch(self._execution_id, opened)
        self._state = replace(self.state, batch=opened)
        return [] if batch.started_at else [telling.batch_started(opened, self.of_batch())]

    async def write(self, instances: Sequence[Instance]) -> bool:
        """Write what has changed; False, and nothing written, when an upgrade was withdrawn just before its order."""
        changed = [each for each in instances if each != self.instance(each.instance_id)]
        if not changed:
            return True
        async with self._ports.work() as work:
            execution = await self._lock(work)
            withdrawn = execution.status not in UPGRADING and execution.status is not ExecutionStatus.PAUSED
            if withdrawn and any(self._is_sent_on(each) for each in changed):
                self._state = replace(self.state, execution=execution)
                return False
            await self._save(work, execution, changed, [])
        return True

    def _is_sent_on(self, after: Instance) -> bool:
        was = self.instance(after.instance_id).status
        return was is InstanceStatus.DRAINING and after.status is InstanceStatus.UPGRADING

    async def fail(self, reason: str) -> None:
        """End the execution as FAILED, unless it has left the upgrade already."""
        async with self._ports.work() as work:
            execution = await self._lock(work)
            if execution.status not in UPGRADING:
                return
            moved, event = advance(execution, ExecutionStatus.FAILED, reason, SYSTEM, self.now)
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

    async def finish_batch(self) -> None:
        """Mark the batch completed and give the next one its due time; twice does no harm."""
        async with self._ports.work() as work:
            execution = await work.executions.lock(self._execution_id)
            batches = {each.number: each for each in await work.executions.batches(self._execution_id)}
            batch, following = batches[self.state.batch.number], batches.get(self.state.batch.number + 1)
            if batch.completed_at is not None:
                return
            now = await work.now()
            done = replace(batch, completed_at=now)
            await work.executions.save_batch(self._execution_id, done)
            if following is not None:
                due = now + timedelta(seconds=execution.request.batch_delay_seconds)
                await work.executions.save_batch(self._execution_id, replace(following, due_at=due))
            await work.events.append(execution, [telling.batch_completed(done, self.of_batch())])
            await work.commit()

    async def _lock(self, work: UnitOfWork) -> Execution:
        execution = await work.executions.lock(self._execution_id)
        await work.leases.require(self._keeper.lease)
        return execution

    async def _save(
        self, work: UnitOfWork, execution: Execution, instances: Sequence[Instance], events: Sequence[Event]
    ) -> None:
        moved = [each for each in instances if each.status is not self.instance(each.instance_id).status]
        judged, ends = judge(execution, moved, self.now)
        after = self._merged(instances)
        told = [telling.instance_changed(self.instance(each.instance_id), each) for each in moved]
        progress = [telling.progress(after)] if moved else []
        await work.executions.save_instances(self._execution_id, instances)
        await work.events.append(execution, [*events, *told, *progress, *ends])
        if judged != execution:
            judged = await work.executions.save(judged)
        await work.commit()
        self._state = replace(self.state, execution=judged, instances=after)

    def of_batch(self) -> list[Instance]:
        """The instances of this batch."""
        return [each for each in self.state.instances if each.batch == self.state.batch.number]

    def _merged(self, instances: Sequence[Instance]) -> list[Instance]:
        changed = {each.instance_id: each for each in instances}
        return [changed.get(each.instance_id, each) for each in self.state.instances]
