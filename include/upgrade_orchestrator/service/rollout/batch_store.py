"""Reads and writes the rows of a batch for its loop; every write checks lease and status again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from upgrade_orchestrator.domain.events import factory
from upgrade_orchestrator.domain.events.listing_payloads import BatchCompleted, BatchStarted
from upgrade_orchestrator.domain.execution.commands import SYSTEM
from upgrade_orchestrator.domain.execution.events import Event
from upgrade_orchestrator.domain.execution.execution import Execution, advance
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import (
    IN_FLIGHT,
    ROLLBACK_BATCH,
    Instance,
    InstanceStatus,
    watched,
)
from upgrade_orchestrator.domain.instance.rollback import reverted, rows_of_rollback
from upgrade_orchestrator.domain.lifecycle.canary_monitor import begin_monitoring
from upgrade_orchestrator.domain.lifecycle.failures import record_failures
from upgrade_orchestrator.domain.plan import batch as batches
from upgrade_orchestrator.domain.plan.batch import Batch, Direction
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork
from upgrade_orchestrator.service.rollout.batch_state import BatchState, Rows
from upgrade_orchestrator.service.runner.journal.journal import Journal
from upgrade_orchestrator.service.runner.lease import LeaseKeeper

REVERTED_AT_ONCE = (InstanceStatus.UPGRADING, InstanceStatus.HEALTH_CHECKING)
"A rollback reverts these at once: waiting for them first could use up its whole time-out."


class BatchStore:
    """Reads little, because under the lease its own copy of the rows is current; writes under lock and lease."""

    def __init__(
        self, ports: Ports, lease: LeaseKeeper, execution_id: str, number: int, journal: Journal | None = None
    ) -> None:
        self._ports, self._lease, self.execution_id, self._number = ports, lease, execution_id, number
        self.journal = journal or Journal()
        self.direction = Direction.BACKWARD if number == ROLLBACK_BATCH else Direction.FORWARD
        self.state: BatchState
        self._loaded, self._wanted = False, False
        self._absent = set[str]()  # of these the stored row may say that they are absent

    def jobs(self) -> list[Instance]:
        """The rows that this loop works on, in order, without the instances that are gone."""
        state = self.state
        jobs = [each for each in state.jobs.values() if not state.rows[each.instance_id].gone]
        if self.direction is Direction.BACKWARD:
            return jobs
        left = REVERTED_AT_ONCE if state.execution.status is ExecutionStatus.ROLLING_BACK else ()
        return [each for each in jobs if each.revert is None and each.status not in left]

    def flying(self) -> list[Instance]:
        """The jobs that are in flight."""
        return [each for each in self.jobs() if each.status in IN_FLIGHT]

    def note_accepted(self, names: Sequence[str]) -> None:
        """Note, until the next transition is written, that the fleet accepted the orders of these jobs."""
        jobs = self.state.jobs
        taken = {name: replace(jobs[name], accepted_at=self.state.now) for name in names}
        self.state = replace(self.state, jobs=jobs | taken)

    def all(self) -> list[Instance]:
        """The rows of the plan's instances."""
        return list(self.state.rows.values())

    async def read(self, fresh: bool) -> None:
        """Read the execution's row; with ``fresh`` all rows: another process may have written them."""
        async with self._ports.work() as work:
            execution, now = await work.executions.get(self.execution_id), await work.now()
            if not fresh:
                self.state = replace(self.state, execution=execution, now=now)
                return
            rows = {each.instance_id: each for each in await work.executions.instances(self.execution_id)}
            jobs = await self._rollback_rows(work, rows) if self.direction is Direction.BACKWARD else rows
            batch = (await self._read_batches(work))[0]
            self.state = BatchState(execution, batch, rows, jobs, now)
            self._loaded, self._absent = True, {name for name, each in rows.items() if each.absent_seconds is not None}

    async def _rollback_rows(self, work: UnitOfWork, rows: Rows) -> Rows:
        """The stored rows of the rollback, and new ones for the other instances; these are stored once begun."""
        known = {each.instance_id: each for each in await work.executions.rollback_instances(self.execution_id)}
        return known | {each.instance_id: each for each in rows_of_rollback(list(rows.values()), known)}

    async def _read_batches(self, work: UnitOfWork) -> list[Batch]:
        """This batch and the one after it; a rollback's has no row before its first instance has begun."""
        found = await work.executions.batches(self.execution_id, self._number, 2)
        return found if found and found[0].number == self._number else [Batch(self._number, "ROLLBACK")]

    def add_watched_seconds(self, seconds: float) -> None:
        """Add watched seconds to the steps in flight, and to the batch's wait for budget unless it is paused."""
        state = self.state
        jobs = {name: watched(each, seconds) for name, each in state.jobs.items()}
        before, self._wanted = self._wanted, self.direction.may_start(state.execution.status)
        blocked = state.batch.blocked_seconds is not None and before and self._wanted
        batch = batches.watched(state.batch, seconds) if blocked else state.batch
        rows = state.rows if self.direction is Direction.BACKWARD else jobs
        self.state = replace(state, jobs=jobs, rows=rows, batch=batch)

    async def save_clocks(self, work: UnitOfWork) -> None:
        """Write the watched seconds, so that a crash loses only the later ones.

        Before the first read there are none: a batch may fail before it, while it holds the lease of the batch before.
        """
        if self._loaded:
            self._absent |= {each.instance_id for each in self.jobs() if each.absent_seconds is not None}
            counted = [each for each in self.jobs() if each.status in IN_FLIGHT or each.instance_id in self._absent]
            await work.executions.save_clocks(self.execution_id, counted, self.state.batch)

    async def write(self, jobs: Sequence[Instance]) -> bool:
        """Write the changed rows; returns False and writes nothing when the execution's status forbids it by now.

        Starting an instance needs a status that allows new work; a withdrawn instance must not go on to UPGRADING.
        """
        was = {each.instance_id: self.state.jobs[each.instance_id].status for each in jobs}
        drains = [each for each in jobs if each.status is InstanceStatus.DRAINING]
        begins = any(was[each.instance_id] is not each.status for each in drains)
        sent_on = any(
            each.status is InstanceStatus.UPGRADING and was[each.instance_id] is InstanceStatus.DRAINING
            for each in jobs
        )
        async with self._ports.work() as work:
            execution = await self.lock(work)
            unwanted = begins and not self.direction.may_start(execution.status)
            if unwanted or (sent_on and self.direction.withdrawn(execution.status)):
                self.state = replace(self.state, execution=execution)
                return False
            events = await self._open_batch(work) if begins else []
            await self.save(work, execution, jobs, events)
        return True

    async def _open_batch(self, work: UnitOfWork) -> list[Event]:
        batch = self.state.batch
        if batch.started_at is not None and batch.blocked_seconds is None:
            return []
        opened = replace(batch, started_at=batch.started_at or self.state.now, blocked_seconds=None)
        await work.executions.save_batch(self.execution_id, opened)
        self.state = replace(self.state, batch=opened)
        return [] if batch.started_at else [factory.batch_event(BatchStarted, opened, self.jobs())]

    async def save(
        self,
        work: UnitOfWork,
        execution: Execution,
        jobs: Sequence[Instance],
        events: Sequence[Event],
        gone: Rows | None = None,
    ) -> None:
        """Write the changed jobs, and rows that are ``gone`` now, with their events and effects, and commit."""
        state, changed, gone = self.state, {each.instance_id: each for each in jobs}, gone or {}
        moved = [name for name, each in changed.items() if each.status is not state.jobs[name].status]
        rows, counted, ends = gone | changed, execution, list[Event]()
        if self.direction is Direction.BACKWARD:
            of = state.rows | gone
            rows = gone | {name: reverted(of[name], each, state.now) for name, each in changed.items()}
            await work.executions.save_rollback_instances(self.execution_id, jobs)
        elif any(changed[name].status is InstanceStatus.FAILED for name in moved):
            counted, ends = record_failures(execution, [changed[name] for name in moved], state.now)
        await work.executions.save_instances(self.execution_id, list(rows.values()))
        after, reported = state.rows | rows, dict.fromkeys([*moved, *gone])
        changes = self._changes(after, reported)
        progress = [factory.progress(list(after.values()), execution.attention)] if reported else []
        await work.events.append(execution, [*events, *changes, *progress, *ends])
        if counted != execution:
            counted = await work.executions.save(counted)
        await work.commit()
        jobs_after = after if self.direction is Direction.FORWARD else state.jobs | changed
        for name in reported:
            old, new = (state.jobs, jobs_after) if name in changed else (state.rows, after)
            self.journal.changed(old[name], new[name])
        self.state = replace(state, execution=counted, rows=after, jobs=jobs_after)

    def _changes(self, after: Rows, names: Iterable[str]) -> list[Event]:
        rows, notes_of = self.state.rows, self.journal.notes_of
        return [factory.instance_changed(rows[name], after[name], notes_of(name)) for name in names]

    async def fail(self, reason: str) -> None:
        """Set the execution to FAILED, unless its status does not allow this work any more."""
        async with self._ports.work() as work:
            execution = await self.lock(work)
            if not self.direction.may_start(execution.status):
                return
            moved, event = advance(execution, ExecutionStatus.FAILED, reason, SYSTEM, self.state.now)
            if self.direction is Direction.BACKWARD:
                moved = replace(moved, failure_phase="ROLLBACK")
            await work.events.append(moved, [event])
            moved = await work.executions.save(moved)
            await work.commit()
        self.state = replace(self.state, execution=moved)

    async def note_blocked(self, blocked: bool) -> None:
        """Begin to count the seconds for which the batch cannot go on, or forget them because it can."""
        if (self.state.batch.blocked_seconds is not None) is blocked:
            return
        batch = replace(self.state.batch, blocked_seconds=0.0 if blocked else None)
        async with self._ports.work() as work:
            await self.lock(work)
            await work.executions.save_batch(self.execution_id, batch)
            await work.commit()
        self.state = replace(self.state, batch=batch)

    async def finish(self) -> bool:
        """Mark the batch as completed and set the due time of the next one; idempotent.

        For the canaries' batch the monitoring begins. False when the status does not allow this work any more.
        """
        async with self._ports.work() as work:
            execution = await work.executions.lock(self.execution_id)
            (batch, *following), now = await self._read_batches(work), await work.now()
            if batch.completed_at is not None:
                return True
            if not self.direction.may_start(execution.status):
                return False
            done, events = replace(batch, completed_at=now), list[Event]()
            await work.executions.save_batch(self.execution_id, done)
            if self.direction is Direction.FORWARD:
                due = now + timedelta(seconds=execution.request.batch_delay_seconds)
                for each in following:
                    await work.executions.save_batch(self.execution_id, replace(each, due_at=due))
            if execution.status is ExecutionStatus.CANARY_RUNNING:
                moved, events = begin_monitoring(execution, now)
                await work.executions.save(moved)
            left = self._changes(self.state.rows, self.journal.noted())  # its try had ended before these notes
            await work.events.append(
                execution, [*left, factory.batch_event(BatchCompleted, done, self.jobs()), *events]
            )
            await work.commit()
        self.journal.forget()
        return True

    async def lock(self, work: UnitOfWork) -> Execution:
        """The execution's row, locked.

        :raises LostLease: another runner has taken over.
        """
        execution = await work.executions.lock(self.execution_id)
        await work.leases.require(self._lease.lease)
        return execution

    def worked_on(self) -> list[str]:
        """The ids of the instances in flight, whose orders may not have arrived yet."""
        return [each.instance_id for each in self.state.rows.values() if each.in_flight]
