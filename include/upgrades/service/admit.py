"""Use case: admit (contract section 3): the checks decide between the work and FAILED."""

from __future__ import annotations

from include.upgrades.domain.checks import PASSING, CheckResult
from include.upgrades.domain.commands import SYSTEM
from include.upgrades.domain.execution import Execution, Strategy, advance
from include.upgrades.domain.states import ExecutionStatus
from include.upgrades.service.ports import Ports


async def admit(ports: Ports, execution_id: str) -> Execution:
    """VALIDATING goes on or fails; any other status stays as it is, so that a repetition does no harm.

    :raises NotFound: no such execution.
    """
    async with ports.work() as work:
        execution = await work.executions.lock(execution_id)
        if execution.status is not ExecutionStatus.VALIDATING:
            return execution
        to, reason = _decide(execution, await work.executions.checks(execution_id))
        moved, event = advance(execution, to, reason, SYSTEM, await work.now())
        await work.events.append(moved, [event])
        moved = await work.executions.save(moved)
        await work.commit()
        return moved


def _decide(execution: Execution, results: list[CheckResult]) -> tuple[ExecutionStatus, str]:
    failed = [each for each in results if each.status not in PASSING]
    if failed:
        why = "; ".join(f"{each.name.value}: {each.message or each.status.value}" for each in failed)
        return ExecutionStatus.FAILED, f"pre-upgrade checks failed: {why}"
    canary = execution.request.strategy is Strategy.CANARY
    return ExecutionStatus.CANARY_RUNNING if canary else ExecutionStatus.IN_PROGRESS, "all pre-upgrade checks passed"
