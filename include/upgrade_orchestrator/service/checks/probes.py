"""The pre-upgrade checks (specification section 7). A check that cannot be made is FAILED."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from upgrade_orchestrator.domain.checks import checks, compatibility
from upgrade_orchestrator.domain.checks.checks import CheckName, CheckResult, CheckStatus
from upgrade_orchestrator.domain.execution.execution import UpgradeRequest
from upgrade_orchestrator.domain.registry.entries import ComponentVersion, Deployment, UpgradePath
from upgrade_orchestrator.service.checks.backups import RunningVersion, verify_backup
from upgrade_orchestrator.service.checks.looks import Endpoints, look_again, look_at_fleet, seconds_for_looks
from upgrade_orchestrator.service.ports.fleet import FleetError
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.runner.attention import AttentionKeeper


@dataclass(frozen=True, slots=True)
class CheckContext:
    """The input of the checks; ``thorough`` reads the whole backup, otherwise only its size is read.

    ``execution_id`` is None in a dry run. ``reverts``: what ``_ONLY_WARNING`` finds does not hold it back.
    """

    execution_id: str | None
    tenant_id: str
    request: UpgradeRequest
    deployment: Deployment
    source: ComponentVersion
    target: ComponentVersion
    path: UpgradePath | None
    instances: tuple[str, ...]
    now: datetime
    thorough: bool = True
    reverts: bool = False

    @property
    def total(self) -> int:
        """The number of instances to upgrade, also when the fleet has fewer."""
        return max(len(self.instances), self.request.total_instances or 0)


Probe = Callable[[Ports, CheckContext], Awaitable[CheckResult]]


async def run_probe(ports: Ports, context: CheckContext, name: CheckName) -> CheckResult:
    """Make the check within its time-out; nothing is stored."""
    result = await _run_probe(ports, context, name)
    if context.reverts and name in _ONLY_WARNING and result.status is CheckStatus.FAILED:
        return replace(result, status=CheckStatus.WARNING)
    return result


async def _run_probe(ports: Ports, context: CheckContext, name: CheckName) -> CheckResult:
    seconds, needed = ports.options.check_timeout_seconds, _DEPENDS_ON[name].format(context=context)
    try:
        async with asyncio.timeout(None if context.thorough and name in _OWN_LIMITS else seconds):
            return await _PROBES[name](ports, context)
    except TimeoutError:
        todo = f"see whether {needed} responds, or raise [upgrades] check_timeout_seconds"
        return CheckResult(name, CheckStatus.FAILED, f"the check did not finish within {seconds:g} s: {todo}")
    except (FleetError, OSError, ValueError) as error:
        return CheckResult(name, CheckStatus.FAILED, f"the check could not be made: {error}; inspect {needed}")


async def run_all_probes(ports: Ports, context: CheckContext) -> list[CheckResult]:
    """Make all checks concurrently; results in the order in which they are shown."""
    return await asyncio.gather(*(run_probe(ports, context, name) for name in CheckName))


async def _version_compatibility(ports: Ports, context: CheckContext) -> CheckResult:
    given = compatibility.Compatibility(
        context.request,
        context.source,
        context.target,
        context.path,
        context.deployment,
        ports.options.platform_version,
        reverts=context.reverts,
    )
    findings = compatibility.compatibility(given, context.now)
    way = f"{context.source.version} to {context.target.version}"
    return checks.verdict(CheckName.VERSION_COMPATIBILITY, findings, f"the path from {way} is registered and open")


async def _resource_availability(ports: Ports, context: CheckContext) -> CheckResult:
    fleet = await look_at_fleet(ports, context.deployment, _seconds(ports, context), _attention(ports, context))
    findings = checks.capacity(context.request, context.total, fleet, await _budget(ports, context))
    passed = (
        f"{len(fleet.serving())} instances serve, {context.total} are upgraded, {fleet.free_instances} more would fit"
    )
    return checks.verdict(CheckName.RESOURCE_AVAILABILITY, findings, passed)


async def _budget(ports: Ports, context: CheckContext) -> int | None:
    """That of a revert's plan, which is the one of the whole upgrade; None: it follows from the instances."""
    if not context.reverts or context.execution_id is None:
        return None
    async with ports.work() as work:
        return (await work.executions.plan(context.execution_id)).budget


async def _backup_verification(ports: Ports, context: CheckContext) -> CheckResult:
    running = (context.tenant_id, context.request.component_id, context.source.id)
    attention = _attention(ports, context)
    return await verify_backup(ports, RunningVersion(*running, context.now, context.thorough, attention))


async def _health_endpoints(ports: Ports, context: CheckContext) -> CheckResult:
    endpoints, total = Endpoints(ports, context.deployment, context.instances), len(context.instances)
    try:
        await look_again(endpoints.look, _seconds(ports, context), _attention(ports, context))
    except FleetError:
        if not endpoints.looks:  # the connection cannot be used: none was asked
            raise
    findings = checks.health(endpoints.silent, total, endpoints.looks)
    return checks.verdict(CheckName.HEALTH_ENDPOINTS, findings, f"all {total} health endpoints answer")


def _seconds(ports: Ports, context: CheckContext) -> float:
    """For how long a look that fails is repeated; the caller of a dry run waits for the response."""
    return seconds_for_looks(ports.options.check_timeout_seconds, caller_waits=not context.thorough)


def _attention(ports: Ports, context: CheckContext) -> AttentionKeeper | None:
    return None if context.execution_id is None else AttentionKeeper(ports, context.execution_id)


async def _dependency_check(_: Ports, context: CheckContext) -> CheckResult:
    findings = compatibility.dependencies(context.target, context.request.installed_components)
    passed = f"{len(context.target.dependencies)} dependencies of {context.target.version} are satisfied"
    return checks.verdict(CheckName.DEPENDENCY_CHECK, findings, passed)


_PROBES: dict[CheckName, Probe] = {
    CheckName.VERSION_COMPATIBILITY: _version_compatibility,
    CheckName.RESOURCE_AVAILABILITY: _resource_availability,
    CheckName.BACKUP_VERIFICATION: _backup_verification,
    CheckName.HEALTH_ENDPOINTS: _health_endpoints,
    CheckName.DEPENDENCY_CHECK: _dependency_check,
}

_ONLY_WARNING = frozenset({CheckName.VERSION_COMPATIBILITY, CheckName.BACKUP_VERIFICATION})
"Checks that a revert need not pass: the version that it goes back to was running, and there is no other way."

_OWN_LIMITS = frozenset({CheckName.BACKUP_VERIFICATION})
"Checks whose time limits follow the size of what they read."

_AGENT = "the agent of fleet {context.deployment.fleet} (Airflow connection {context.deployment.conn_id})"
_DEPENDS_ON = {
    CheckName.VERSION_COMPATIBILITY: "the database",
    CheckName.RESOURCE_AVAILABILITY: _AGENT,
    CheckName.BACKUP_VERIFICATION: "the storage of the backup",
    CheckName.HEALTH_ENDPOINTS: _AGENT,
    CheckName.DEPENDENCY_CHECK: "the database",
}
