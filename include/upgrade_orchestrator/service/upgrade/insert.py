"""Inserts a new execution with its rows and its first event; for create, retry and revert."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from upgrade_orchestrator.domain.errors import (
    ActiveUpgradeExists,
)
from upgrade_orchestrator.domain.events.payloads import Created
from upgrade_orchestrator.domain.execution.commands import Actor
from upgrade_orchestrator.domain.execution.events import Event
from upgrade_orchestrator.domain.execution.execution import Execution, Strategy, UpgradeRequest
from upgrade_orchestrator.domain.instance.fleet import Fleet
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.plan.plan import Plan
from upgrade_orchestrator.domain.registry.entries import ComponentVersion, Deployment, UpgradePath
from upgrade_orchestrator.domain.registry.schemes import Scheme
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork


@dataclass(frozen=True, slots=True)
class CreateContext:
    """The current state on which a new upgrade of a tenant's deployment is based."""

    tenant_id: str
    deployment: Deployment
    source: ComponentVersion
    target: ComponentVersion
    path: UpgradePath | None
    scheme: Scheme
    fleet: Fleet
    now: datetime
    reverts: bool = False
    """Whether the upgrade is a revert: what is found about path and target only warns."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The ended executions from which a new one comes, and its first status reason."""

    reason: str = "created"
    retry_of: str | None = None
    revert_of: str | None = None


@dataclass(frozen=True, slots=True)
class ExecutionDraft:
    """An execution without blockers; ``previous`` maps instance ids to the versions that a rollback restores.

    ``targets``: where each instance goes, if not all go to the one target.
    """

    context: CreateContext
    request: UpgradeRequest
    plan: Plan
    warnings: tuple[str, ...]
    previous: Mapping[str, str | None]
    origin: Origin = Origin()
    targets: Mapping[str, str] = field(default_factory=dict)


async def add(work: UnitOfWork, execution_id: str, draft: ExecutionDraft, actor: Actor) -> Execution:
    """Insert the new execution with its rows and its first event; the caller commits.

    :raises ActiveUpgradeExists: another execution took the active slot in between.
    """
    context, plan, origin = draft.context, draft.plan, draft.origin
    execution = Execution(
        id=execution_id,
        tenant_id=context.tenant_id,
        request=replace(draft.request, total_instances=len(plan.instances)),
        total_instances=len(plan.instances),
        from_version=context.source.version,
        to_version=context.target.version,
        plan_hash=plan.hash,
        created_by=actor.name,
        created_at=await work.now(),
        status_reason=origin.reason,
        warnings=draft.warnings,
        version_scheme=context.scheme,
        retry_of=origin.retry_of,
        revert_of=origin.revert_of,
        further_targets=_further_targets(draft),
    )
    await work.executions.add(execution, plan, _instances(draft))
    await work.events.append(execution, [_created(execution, plan)])
    return execution


def _further_targets(draft: ExecutionDraft) -> tuple[str, ...]:
    return tuple(
        sorted(
            {draft.targets[each] for each in draft.plan.instances if each in draft.targets}
            - {draft.context.target.version}
        )
    )


def _instances(draft: ExecutionDraft) -> Iterable[Instance]:
    known = {each.instance_id: each for each in draft.context.fleet.instances}
    in_place = draft.plan.strategy is not Strategy.BLUE_GREEN
    for batch in draft.plan.batches:
        for position, instance_id in enumerate(batch.instances):
            found = known[instance_id]
            yield Instance(
                instance_id=instance_id,
                batch=batch.number,
                position=position,
                status=InstanceStatus.PENDING,
                from_version=draft.previous[instance_id],
                to_version=draft.targets.get(instance_id, draft.context.target.version),
                reported=found.reported or found.version,
                drained_before=in_place and found.out_of_service,
            )


def _created(execution: Execution, plan: Plan) -> Event:
    request = execution.request
    return Created(
        tenant_id=execution.tenant_id,
        component_id=request.component_id,
        from_version=execution.from_version,
        to_version=execution.to_version,
        strategy=request.strategy,
        total_instances=execution.total_instances,
        batches=len(plan.batches),
        plan_hash=execution.plan_hash,
        created_by=execution.created_by,
        initiated_by=request.initiated_by,
        retry_of=execution.retry_of,
        revert_of=execution.revert_of,
    )


@asynccontextmanager
async def with_active_execution_id(ports: Ports, tenant_id: str, component_id: str) -> AsyncIterator[None]:
    """Add the id of the active execution to the error of the database, when another transaction was faster.

    :raises ActiveUpgradeExists: the database raised it within; without an id if that execution has ended since.
    """
    try:
        yield
    except ActiveUpgradeExists:
        async with ports.work() as work:
            active = await work.executions.active(tenant_id, component_id)
        raise ActiveUpgradeExists(active.id if active else None) from None
