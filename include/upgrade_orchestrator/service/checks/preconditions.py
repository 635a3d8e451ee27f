"""The preconditions of continuing: the cheap checks, repeated before a resume, a promotion or an approval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf

from upgrade_orchestrator.domain.checks.checks import Findings
from upgrade_orchestrator.domain.checks.compatibility import Compatibility, compatibility, dependencies
from upgrade_orchestrator.domain.errors import UpgradeBlocked
from upgrade_orchestrator.domain.execution.execution import Execution, Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.fleet import Fleet
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.plan.batch import Batch, BatchRules, BatchView, NoBudgetLeft, decide
from upgrade_orchestrator.domain.plan.plan import Plan
from upgrade_orchestrator.domain.registry.entries import Deployment
from upgrade_orchestrator.service.checks.looks import look_at_fleet, seconds_for_looks
from upgrade_orchestrator.service.ports.fleet import FleetError
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """The rows that are checked; ``registry`` has the findings from the registry."""

    execution: Execution
    plan: Plan
    rows: Sequence[Instance]
    deployment: Deployment
    registry: Findings
    now: datetime


async def require_runnable(
    ports: Ports, execution_id: str, *, room: bool = True, seconds: float = inf
) -> tuple[str, ...]:
    """Check version compatibility, dependencies, the fleet's response, and with ``room`` that the next batch can begin.

    Only what cannot be finished is refused; returns what is to be warned of. The fleet has ``seconds`` to respond, at
    most the time of a check.

    :raises UpgradeBlocked: with every blocker.
    :raises NotFound: no such execution.
    """
    findings = await _recheck(ports, execution_id, room, min(seconds, ports.options.check_timeout_seconds))
    if findings.blockers:
        raise UpgradeBlocked(findings.blockers)
    return findings.warnings


async def _recheck(ports: Ports, execution_id: str, room: bool, seconds: float) -> Findings:
    async with ports.work() as work:
        snapshot = await _read(work, execution_id, ports.options.platform_version)
    seconds = seconds_for_looks(seconds, caller_waits=True)
    try:
        fleet = await look_at_fleet(ports, snapshot.deployment, seconds)
    except TimeoutError:
        return snapshot.registry + Findings((f"the fleet did not answer within {seconds:g} s",))
    except FleetError as error:
        return snapshot.registry + Findings((f"the fleet does not answer: {error}",))
    return snapshot.registry + (_fleet(snapshot, fleet) if room else Findings())


async def _read(work: UnitOfWork, execution_id: str, platform: str | None) -> _Snapshot:
    execution = await work.executions.get(execution_id)
    request, now = execution.request, await work.now()
    deployment = await work.registry.deployment(execution.tenant_id, request.component_id)
    source = await work.registry.version(request.from_version_id)
    target = await work.registry.version(request.to_version_id)
    assert deployment is not None  # foreign keys guarantee all three
    assert source is not None
    assert target is not None
    path = await work.registry.path(source.id, target.id)
    reverts = execution.revert_of is not None
    case = Compatibility(request, source, target, path, deployment, platform, reverts=reverts)
    said = compatibility(case, now, finishing=True)
    said += dependencies(target, request.installed_components)
    plan, rows = await work.executions.plan(execution_id), await work.executions.instances(execution_id)
    return _Snapshot(execution, plan, rows, deployment, said, now)


def _fleet(snapshot: _Snapshot, fleet: Fleet) -> Findings:
    pending = [each for each in snapshot.rows if each.status is InstanceStatus.PENDING and not each.gone]
    if not pending or snapshot.plan.strategy is Strategy.BLUE_GREEN:  # its new pool takes nothing from the old one
        return Findings()
    number = min(each.batch for each in pending)
    decision = decide(_view(snapshot, number, fleet), snapshot.now)
    return Findings((decision.reason,)) if isinstance(decision, NoBudgetLeft) else Findings()


def _view(snapshot: _Snapshot, number: int, fleet: Fleet) -> BatchView:
    """The view that the runner will have, with time-out 0: only the state at this moment counts."""
    rules = BatchRules.of(snapshot.plan, number, snapshot.execution.request.health_check_interval_seconds)
    return BatchView(
        status=ExecutionStatus.IN_PROGRESS,
        batch=Batch(number, snapshot.plan.batches[number - 1].kind),
        is_last=rules.is_last,
        instances=[each for each in snapshot.rows if not each.gone],
        limits=rules.limits,
        unavailable=fleet.unavailable(()),  # one look does not tell whether an absent instance is down or gone
        timeout=0.0,
    )
