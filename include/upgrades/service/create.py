"""Use case: create an upgrade, or only see what it would be (contract sections 1, 2 and 4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from include.upgrades.domain import checks
from include.upgrades.domain.checks import Findings
from include.upgrades.domain.commands import Actor
from include.upgrades.domain.compatibility import Compatibility, compatibility, dependencies
from include.upgrades.domain.errors import (
    ActiveUpgradeExists,
    NotFound,
    Unavailable,
    UpgradeBlocked,
    VersionMismatch,
)
from include.upgrades.domain.events import Event, EventType
from include.upgrades.domain.execution import Execution, UpgradeRequest
from include.upgrades.domain.fleet import Fleet
from include.upgrades.domain.instance import Instance, InstanceStatus
from include.upgrades.domain.plan import Plan, make_plan
from include.upgrades.domain.registry import ComponentVersion, Deployment
from include.upgrades.service.fleet_ports import FleetError
from include.upgrades.service.ports import Ports, UnitOfWork


@dataclass(frozen=True, slots=True)
class Preview:
    """What an upgrade would be: its plan (None when the fleet is too small for one) and what speaks against it."""

    plan: Plan | None
    findings: Findings


@dataclass(frozen=True, slots=True)
class _Case:
    request: UpgradeRequest
    deployment: Deployment
    source: ComponentVersion
    target: ComponentVersion
    fleet: Fleet
    preview: Preview


async def preview_upgrade(ports: Ports, tenant_id: str, request: UpgradeRequest) -> Preview:
    """The plan and the findings, nothing stored (``dryRun=true``).

    :raises NotFound: no deployment or version; :raises VersionMismatch: version of another component;
    :raises Unavailable: the fleet does not answer.
    """
    return (await _examine(ports, tenant_id, request, refuse_active=False)).preview


async def create_upgrade(ports: Ports, tenant_id: str, request: UpgradeRequest, actor: Actor) -> Execution:
    """Check in the contract's order, freeze the plan, store everything in one transaction.

    :raises ActiveUpgradeExists: tenant and component have an unfinished one, also when made at this very moment;
    :raises UpgradeBlocked: with every blocker; and what ``preview_upgrade`` raises.
    """
    case = await _examine(ports, tenant_id, request, refuse_active=True)
    plan = case.preview.plan
    if case.preview.findings.blockers or plan is None:
        raise UpgradeBlocked(case.preview.findings.blockers)
    try:
        return await _store(ports, tenant_id, case, plan, actor)
    except ActiveUpgradeExists:
        raise await _active_error(ports, tenant_id, request.component_id) from None


async def _examine(ports: Ports, tenant_id: str, request: UpgradeRequest, *, refuse_active: bool) -> _Case:
    async with ports.work() as work:
        deployment, source, target = await _look_up(work, tenant_id, request)
        if refuse_active and (active := await work.executions.active(tenant_id, request.component_id)):
            raise ActiveUpgradeExists(active.id)
        path = await work.registry.path(source.id, target.id)
        now = await work.now()
    fleet = await _ask_fleet(ports, deployment)
    case = Compatibility(request, source, target, path, deployment, ports.limits.platform_version)
    findings = (
        compatibility(case, now)
        + dependencies(target, request.installed_components)
        + checks.size(request, fleet)
        + checks.drift(source, fleet)
    )
    minutes = path.estimated_duration_minutes if path else None
    preview = Preview(_plan(request, fleet, minutes), findings)
    return _Case(request, deployment, source, target, fleet, preview)


async def _look_up(
    work: UnitOfWork, tenant_id: str, request: UpgradeRequest
) -> tuple[Deployment, ComponentVersion, ComponentVersion]:
    deployment = await work.registry.deployment(tenant_id, request.component_id)
    if deployment is None:
        raise NotFound(f"tenant {tenant_id} has no deployment of component {request.component_id}")
    source = await _version(work, "fromVersionId", request.from_version_id)
    target = await _version(work, "toVersionId", request.to_version_id)
    for field, version in (("fromVersionId", source), ("toVersionId", target)):
        if version.component_id != request.component_id:
            raise VersionMismatch(f"{field} {version.id} is not a version of component {request.component_id}")
    return deployment, source, target


async def _version(work: UnitOfWork, field: str, version_id: str) -> ComponentVersion:
    version = await work.registry.version(version_id)
    if version is None:
        raise NotFound(f"{field}: there is no version {version_id}")
    return version


async def _ask_fleet(ports: Ports, deployment: Deployment) -> Fleet:
    try:
        async with ports.fleets.of(deployment) as driver:
            return await driver.fleet()
    except FleetError as error:
        raise Unavailable(f"fleet {deployment.fleet} does not answer: {error}") from error


def _plan(request: UpgradeRequest, fleet: Fleet, path_minutes: int | None) -> Plan | None:
    try:
        return make_plan(request, fleet.serving(), path_minutes)
    except ValueError:
        return None  # checks.size says so as a blocker


async def _store(ports: Ports, tenant_id: str, case: _Case, plan: Plan, actor: Actor) -> Execution:
    async with ports.work() as work:
        execution = Execution(
            id=ports.new_id(),
            tenant_id=tenant_id,
            request=replace(case.request, total_instances=len(plan.instances)),
            total_instances=len(plan.instances),
            from_version=case.source.version,
            to_version=case.target.version,
            plan_hash=plan.hash,
            created_by=actor.name,
            created_at=await work.now(),
            warnings=case.preview.findings.warnings,
        )
        await work.executions.add(execution, plan, _instances(plan, case.fleet, execution.to_version))
        await work.events.append(execution, [_created(execution, plan)])
        await work.commit()
    return execution


def _instances(plan: Plan, fleet: Fleet, to_version: str) -> Iterable[Instance]:
    versions = {each.instance_id: each.version for each in fleet.instances}
    for batch in plan.batches:
        for position, instance_id in enumerate(batch.instances):
            yield Instance(
                instance_id=instance_id,
                batch=batch.number,
                position=position,
                status=InstanceStatus.PENDING,
                from_version=versions[instance_id],
                to_version=to_version,
            )


def _created(execution: Execution, plan: Plan) -> Event:
    request = execution.request
    return Event(
        EventType.CREATED,
        {
            "tenantId": execution.tenant_id,
            "componentId": request.component_id,
            "fromVersion": execution.from_version,
            "toVersion": execution.to_version,
            "strategy": request.strategy.value,
            "totalInstances": execution.total_instances,
            "batches": len(plan.batches),
            "planHash": execution.plan_hash,
            "createdBy": execution.created_by,
            "initiatedBy": request.initiated_by,
        },
    )


async def _active_error(ports: Ports, tenant_id: str, component_id: str) -> ActiveUpgradeExists:
    """The refusal with the id of the one that was faster."""
    async with ports.work() as work:
        active = await work.executions.active(tenant_id, component_id)
    return ActiveUpgradeExists(active.id if active else "just finished")
