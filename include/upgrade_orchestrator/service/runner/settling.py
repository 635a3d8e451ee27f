"""Settles an ended execution in a unit of work: last event, versions of the deployment, free place (section 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from upgrade_orchestrator.domain.events import factory
from upgrade_orchestrator.domain.execution.commands import SYSTEM, Actor
from upgrade_orchestrator.domain.execution.events import Event
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.failure import fail_from_anywhere
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.lifecycle.settlement import FinalCount, given_up, settled
from upgrade_orchestrator.domain.plan.pools import by_serving_pool
from upgrade_orchestrator.domain.registry.entries import Deployment
from upgrade_orchestrator.service.ports.fleet import StaleToken
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork
from upgrade_orchestrator.service.runner.context import deployment_of
from upgrade_orchestrator.service.runner.lease import LeaseKeeper
from upgrade_orchestrator.service.runner.outcome import Ending, Outcome


async def settle_in(
    work: UnitOfWork,
    execution: Execution,
    count: FinalCount,
    now: datetime,
    deployment: Deployment | None,
    mixed: Mapping[str, int] | None = None,
    events: Sequence[Event] = (),
    by: Actor = SYSTEM,
) -> Execution:
    """Free the place of the locked, terminal ``execution``; ``events`` come before its last one.

    ``deployment`` gets ``mixed``; None: no instance was touched, so it stays as it is.
    """
    moved, end = settled(execution, count, now, by.name)
    if deployment is not None:
        await work.registry.put(replace(deployment, mixed=mixed))
    await work.events.append(moved, [*events, end])
    return await work.executions.save(moved)


def is_untouched(rows: Sequence[Instance]) -> bool:
    """Whether the execution has begun with none of its instances."""
    return all(each.status is InstanceStatus.PENDING for each in rows)


async def settle_from_rows(ports: Ports, execution_id: str, unseen: str) -> Execution:
    """Settle a terminal execution by its rows, because the fleet does not say: ``unseen`` is why."""
    async with ports.work() as work:
        execution = await work.executions.lock(execution_id)
        if execution.settled_at is None:
            execution = await settle_from_rows_in(work, execution, unseen)
            await work.commit()
        return execution


async def settle_from_rows_in(
    work: UnitOfWork, execution: Execution, unseen: str, events: Sequence[Event] = (), by: Actor = SYSTEM
) -> Execution:
    """``settle_from_rows`` in a unit of work that has locked the execution.

    What is in flight counts as failed. A runner that still works on it loses the lease; late orders have a lower
    token than those of the next upgrade.
    """
    deployment = await deployment_of(work, execution)
    await work.leases.take_away(deployment.conn_id, deployment.fleet)
    now = await work.now()
    rows, changes = await _give_up(work, execution, unseen, now)
    serving = by_serving_pool(rows, await work.executions.batches(execution.id))
    count = FinalCount.of_rows(serving, unseen)
    current = await work.registry.version(deployment.current_version_id)
    touched = None if is_untouched(rows) else deployment
    mixed = count.mixed(current.version if current else None)
    return await settle_in(work, execution, count, now, touched, mixed, [*events, *changes], by)


async def _give_up(
    work: UnitOfWork, execution: Execution, why: str, now: datetime
) -> tuple[list[Instance], list[Event]]:
    """The rows, with those in flight as FAILED, and the events of that."""
    rows = await work.executions.instances(execution.id)
    flying = [each for each in rows if each.in_flight]
    if not flying:
        return rows, []
    jobs = {each.instance_id: each for each in await work.executions.rollback_instances(execution.id)}
    ended = {each.instance_id: given_up(each, jobs.get(each.instance_id), why, now) for each in flying}
    await work.executions.save_instances(execution.id, [row for row, _ in ended.values()])
    await work.executions.save_rollback_instances(execution.id, [job for _, job in ended.values() if job is not None])
    after = [ended[each.instance_id][0] if each.instance_id in ended else each for each in rows]
    changes = [factory.instance_changed(each, ended[each.instance_id][0]) for each in flying]
    return after, [*changes, factory.progress(after)]


async def end_refused(ports: Ports, execution_id: str, keeper: LeaseKeeper, refusal: StaleToken) -> Outcome:
    """End an execution whose fleet refuses the fencing token of the lease's holder: no later try can succeed.

    It becomes FAILED; one that is terminal already is settled by its rows.

    :raises LostLease: another runner has taken over, so the refusal is as it should be.
    """
    lease = keeper.lease
    theirs = "a higher one" if refusal.theirs is None else str(refusal.theirs)
    why = (
        f"fleet {lease.fleet} of connection {lease.conn_id} refuses our fencing token {lease.token}: it has seen"
        f" {theirs}. Unless another orchestrator works on it, raise ours by POST /deployments/fencing"
    )
    async with ports.work() as work:
        execution = await work.executions.lock(execution_id)
        await work.leases.require(lease)
        if not execution.is_terminal:
            moved, events = fail_from_anywhere(execution, why, SYSTEM, await work.now())
            await work.events.append(moved, events)
            await work.executions.save(moved)
        elif execution.settled_at is None:
            await settle_from_rows_in(work, execution, why)
        await work.commit()
    return Outcome(Ending.STOPPED, why)
