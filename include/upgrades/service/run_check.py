"""Use case: run one of the five pre-upgrade checks (section 7). One that cannot look fails, it never passes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from include.upgrades.domain import checks, compatibility, telling
from include.upgrades.domain.admission import admit
from include.upgrades.domain.checks import CheckName, CheckResult, CheckStatus, Findings
from include.upgrades.domain.execution import Execution
from include.upgrades.domain.registry import ComponentVersion, Deployment, UpgradePath
from include.upgrades.domain.states import ExecutionStatus
from include.upgrades.service.fleet_ports import FleetError
from include.upgrades.service.fleet_work import FleetWork
from include.upgrades.service.ports import Ports


@dataclass(frozen=True, slots=True)
class _Case:
    """What the checks look at, read anew for each."""

    execution: Execution
    deployment: Deployment
    source: ComponentVersion
    target: ComponentVersion
    path: UpgradePath | None
    instances: tuple[str, ...]
    now: datetime


Look = Callable[[Ports, _Case], Awaitable[CheckResult]]


async def run_check(ports: Ports, execution_id: str, name: CheckName) -> CheckResult:
    """Look, keep the result with its event, return it; does nothing once the execution has left VALIDATING.

    :raises NotFound: no such execution.
    """
    case = await _begin(ports, execution_id, name)
    if case is None:
        return CheckResult(name, CheckStatus.PENDING, "the execution is not VALIDATING any more")
    result = await _look(ports, case, name)
    await _keep(ports, execution_id, replace(result, started_at=case.now))
    return result


async def _begin(ports: Ports, execution_id: str, name: CheckName) -> _Case | None:
    async with ports.work() as work:
        execution = await work.executions.lock(execution_id)  # admission must not decide in between
        if execution.status is not ExecutionStatus.VALIDATING:
            return None
        request, now = execution.request, await work.now()
        await work.executions.save_check(execution_id, CheckResult(name, CheckStatus.RUNNING, started_at=now))
        deployment = await work.registry.deployment(execution.tenant_id, request.component_id)
        source = await work.registry.version(request.from_version_id)
        target = await work.registry.version(request.to_version_id)
        path = await work.registry.path(request.from_version_id, request.to_version_id)
        planned = tuple(each.instance_id for each in await work.executions.instances(execution_id))
        await work.commit()
    assert deployment is not None  # foreign keys keep the three
    assert source is not None
    assert target is not None
    return _Case(execution, deployment, source, target, path, planned, now)


async def _look(ports: Ports, case: _Case, name: CheckName) -> CheckResult:
    seconds = ports.limits.check_timeout_seconds
    try:
        async with asyncio.timeout(seconds):
            return await _LOOKS[name](ports, case)
    except TimeoutError:
        return CheckResult(name, CheckStatus.FAILED, f"could not look within {seconds:g} s")
    except (FleetError, OSError, ValueError) as error:
        return CheckResult(name, CheckStatus.FAILED, f"could not look: {error}")


async def _keep(ports: Ports, execution_id: str, result: CheckResult) -> None:
    """Write the result; the check that ends last admits the execution or fails it, in the same transaction."""
    async with ports.work() as work:
        execution = await work.executions.lock(execution_id)
        if execution.status is not ExecutionStatus.VALIDATING:
            return
        done = replace(result, completed_at=await work.now())
        await work.executions.save_check(execution_id, done)
        moved, events = admit(execution, await work.executions.checks(execution_id), await work.now())
        await work.events.append(execution, [telling.check_completed(done), *events])
        if events:
            await work.executions.save(moved)
        await work.commit()


async def _version_compatibility(ports: Ports, case: _Case) -> CheckResult:
    judged = compatibility.Compatibility(
        case.execution.request, case.source, case.target, case.path, case.deployment, ports.limits.platform_version
    )
    findings = compatibility.compatibility(judged, case.now)
    way = f"{case.source.version} to {case.target.version}"
    return checks.verdict(CheckName.VERSION_COMPATIBILITY, findings, f"the path from {way} is registered and open")


async def _resource_availability(ports: Ports, case: _Case) -> CheckResult:
    async with ports.fleets.of(case.deployment) as driver:
        fleet = await driver.fleet()
    total = case.execution.total_instances
    findings = checks.capacity(case.execution.request, total, fleet)
    passed = f"{len(fleet.serving())} instances serve, {total} are upgraded, {fleet.free_instances} more would fit"
    return checks.verdict(CheckName.RESOURCE_AVAILABILITY, findings, passed)


async def _backup_verification(ports: Ports, case: _Case) -> CheckResult:
    name, tenant = CheckName.BACKUP_VERIFICATION, case.execution.tenant_id
    async with ports.work() as work:
        known = await work.registry.backups(tenant, case.execution.request.component_id)
    backup = checks.newest_backup(known, case.source.id)
    max_age = timedelta(hours=ports.limits.max_backup_age_hours)
    findings = checks.backup_age(backup, case.source.id, case.now, max_age)
    if findings.blockers or backup is None:
        return checks.verdict(name, findings, "")
    findings = checks.backup_content(backup, await ports.read_object(backup.location))
    passed = f"backup {backup.id} is there: {backup.size_bytes} bytes, sha256 {backup.sha256[:12]}…"
    return checks.verdict(name, findings, passed)


async def _health_endpoints(ports: Ports, case: _Case) -> CheckResult:
    async with ports.fleets.of(case.deployment) as driver:
        answers = await FleetWork(driver, case.execution.id).poll(case.instances)
    silent = {name: None if answer is not None else "no answer" for name, answer in answers.items()}
    passed = f"all {len(answers)} health endpoints answer"
    return checks.verdict(CheckName.HEALTH_ENDPOINTS, checks.health(silent), passed)


async def _dependency_check(ports: Ports, case: _Case) -> CheckResult:
    findings: Findings = compatibility.dependencies(case.target, case.execution.request.installed_components)
    passed = f"{len(case.target.dependencies)} dependencies of {case.target.version} are satisfied"
    return checks.verdict(CheckName.DEPENDENCY_CHECK, findings, passed)


_LOOKS: dict[CheckName, Look] = {
    CheckName.VERSION_COMPATIBILITY: _version_compatibility,
    CheckName.RESOURCE_AVAILABILITY: _resource_availability,
    CheckName.BACKUP_VERIFICATION: _backup_verification,
    CheckName.HEALTH_ENDPOINTS: _health_endpoints,
    CheckName.DEPENDENCY_CHECK: _dependency_check,
}
