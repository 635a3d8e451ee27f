"""Use cases: create an upgrade, or preview it with a dry run (specification sections 1, 2 and 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from upgrade_orchestrator.domain.checks import checks
from upgrade_orchestrator.domain.checks.checks import CheckResult, Findings
from upgrade_orchestrator.domain.checks.compatibility import Compatibility, compatibility, dependencies
from upgrade_orchestrator.domain.errors import (
    ActiveUpgradeExists,
    FleetUnusable,
    NotFound,
    UpgradeBlocked,
    VersionMismatch,
)
from upgrade_orchestrator.domain.execution.commands import Actor
from upgrade_orchestrator.domain.execution.execution import Execution, UpgradeRequest
from upgrade_orchestrator.domain.instance.fleet import Fleet, FleetInstance
from upgrade_orchestrator.domain.plan.plan import Plan, make_plan
from upgrade_orchestrator.domain.registry.entries import ComponentVersion, Deployment
from upgrade_orchestrator.service.checks.probes import CheckContext, run_all_probes
from upgrade_orchestrator.service.ports.fleet import FleetError
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork
from upgrade_orchestrator.service.runner.spelling import Spelling
from upgrade_orchestrator.service.upgrade.insert import CreateContext, ExecutionDraft, add, with_active_execution_id


@dataclass(frozen=True, slots=True)
class Preview:
    """The result of a dry run: the plan (None when the fleet is too small for one) and the findings.

    ``checks`` are the results that the pre-upgrade checks would have now; empty when they were not run.
    """

    plan: Plan | None
    findings: Findings
    checks: Sequence[CheckResult] = ()


async def preview_upgrade(ports: Ports, tenant_id: str, request: UpgradeRequest) -> Preview:
    """The plan, and all findings of creation and of the pre-upgrade checks; nothing is stored.

    :raises NotFound: no deployment or version.
    :raises VersionMismatch: a version of another component.
    :raises FleetUnusable: the fleet does not answer, is unknown, or its answer is not of the protocol.
    """
    context = await read_context(ports, tenant_id, request, refuse_active=False)
    preview = plan_with_findings(ports, context, request, context.fleet.serving())
    async with ports.work() as work:
        active = await work.executions.active(tenant_id, request.component_id)
    taken = Findings((ActiveUpgradeExists(active.id).detail,) if active else ())
    instances = preview.plan.instances if preview.plan else tuple(each.instance_id for each in context.fleet.serving())
    known = (context.tenant_id, request, context.deployment, context.source, context.target, context.path)
    found = await run_all_probes(ports, CheckContext(None, *known, instances, context.now, thorough=False))
    return Preview(preview.plan, taken + preview.findings, found)


async def create_upgrade(ports: Ports, tenant_id: str, request: UpgradeRequest, actor: Actor) -> Execution:
    """Check in the specification's order, freeze the plan, store all in one transaction; raises as ``preview_upgrade``.

    :raises ActiveUpgradeExists: tenant and component have an unfinished execution, also one created concurrently.
    :raises UpgradeBlocked: with every blocker.
    """
    context = await read_context(ports, tenant_id, request, refuse_active=True)
    plan, warnings = require_no_blockers(plan_with_findings(ports, context, request, context.fleet.serving()))
    previous = {each.instance_id: each.version for each in context.fleet.instances}
    draft = ExecutionDraft(context, request, plan, warnings, previous)
    async with with_active_execution_id(ports, tenant_id, request.component_id), ports.work() as work:
        execution = await add(work, ports.new_id(), draft, actor)
        await work.commit()
    return execution


async def read_context(
    ports: Ports, tenant_id: str, request: UpgradeRequest, *, refuse_active: bool, reverts: bool = False
) -> CreateContext:
    """Read the registry and the fleet; errors are raised in the order of the specification.

    :raises NotFound: no deployment or version.
    :raises VersionMismatch: a version of another component.
    :raises ActiveUpgradeExists: with ``refuse_active``, if there is an unfinished execution.
    :raises FleetUnusable: the fleet does not answer, is unknown, or its answer is not of the protocol.
    """
    async with ports.work() as work:
        deployment, source, target = await _look_up(work, tenant_id, request)
        if refuse_active and (active := await work.executions.active(tenant_id, request.component_id)):
            raise ActiveUpgradeExists(active.id)
        path = await work.registry.path(source.id, target.id)
        scheme = (await work.registry.schemes([request.component_id]))[request.component_id]
        now = await work.now()
    fleet = Spelling(scheme, source.version, target.version).fleet(await _ask_fleet(ports, deployment))
    return CreateContext(tenant_id, deployment, source, target, path, scheme, fleet, now, reverts)


def plan_with_findings(
    ports: Ports,
    context: CreateContext,
    request: UpgradeRequest,
    instances: Sequence[FleetInstance],
    budget_total: int | None = None,
) -> Preview:
    """The plan of an upgrade of ``instances``, and its findings; ``budget_total`` as for ``make_plan``."""
    source, target, path, platform = context.source, context.target, context.path, ports.options.platform_version
    case = Compatibility(request, source, target, path, context.deployment, platform, context.scheme, context.reverts)
    findings = (
        compatibility(case, context.now)
        + dependencies(target, request.installed_components)
        + checks.size(request, context.fleet)
        + (Findings() if context.reverts else checks.version_mix(source, context.fleet))
        + checks.other_pools(request, context.fleet)
        + checks.unknown_versions(instances)
    )
    plan = _plan(request, instances, path.estimated_duration_minutes if path else None, budget_total)
    if plan is not None:
        findings += checks.drained_by_others(request, plan.instances, context.fleet)
    return Preview(plan, findings + checks.stages(plan))


def require_no_blockers(preview: Preview) -> tuple[Plan, tuple[str, ...]]:
    """The plan and its warnings.

    :raises UpgradeBlocked: with every blocker.
    """
    if preview.findings.blockers or preview.plan is None:
        raise UpgradeBlocked(preview.findings.blockers)
    return preview.plan, preview.findings.warnings


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
        raise FleetUnusable(f"fleet {deployment.fleet} cannot be used: {error}") from error


def _plan(
    request: UpgradeRequest, instances: Sequence[FleetInstance], path_minutes: int | None, budget_total: int | None
) -> Plan | None:
    try:
        return make_plan(request, instances, path_minutes, budget_total)
    except ValueError:
        return None  # checks.size reports this as a blocker
