"""Use cases of a rollback (specification section 4, "Rollback"): it is never itself rolled back."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from upgrade_orchestrator.domain.events.listing_payloads import RollbackCompleted
from upgrade_orchestrator.domain.execution.commands import SYSTEM
from upgrade_orchestrator.domain.execution.events import Event
from upgrade_orchestrator.domain.execution.execution import Execution, Strategy, advance
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import ROLLBACK_BATCH, Instance, InstanceStatus
from upgrade_orchestrator.domain.instance.names import named
from upgrade_orchestrator.domain.instance.presence import naming_gone
from upgrade_orchestrator.domain.instance.rollback import touched
from upgrade_orchestrator.domain.lifecycle.transitions import count_by_version
from upgrade_orchestrator.service.blue_green.revert import run_revert
from upgrade_orchestrator.service.finalize.settle import fail_if_unfinished, settle
from upgrade_orchestrator.service.finalize.undrain import undrain_left
from upgrade_orchestrator.service.ports.fleet import FleetError
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.rollout.batch import run_batch
from upgrade_orchestrator.service.runner.context import Context, find_execution
from upgrade_orchestrator.service.runner.outcome import Ending, Outcome

log = logging.getLogger(__name__)

PUT_BACK_SECONDS = 5.0
"How long the task waits until drained instances are back in service; normally this takes no time."


async def roll_back(ports: Ports, context: Context, seconds: float | None) -> Outcome:
    """Revert every touched instance, newest first, for about ``seconds`` (None: to the end).

    DONE also when instances could not be reverted: ``confirm`` decides the status. SKIPPED if no rollback has begun.
    """
    execution = await fail_if_unfinished(ports, context.execution.id)
    if execution.rollback.initiated_at is None:
        return Outcome(Ending.SKIPPED, f"the execution is {execution.status.value}")
    outcome = await run_rollback(ports, context, seconds)
    return outcome if outcome.ending is Ending.UNFINISHED else Outcome(Ending.DONE)


async def run_rollback(ports: Ports, context: Context, seconds: float | None) -> Outcome:
    """Revert the touched instances under the budget, or by one switch to the old pool."""
    if context.plan.strategy is Strategy.BLUE_GREEN:
        return await run_revert(ports, context, seconds)
    return await run_batch(ports, context, ROLLBACK_BATCH, seconds)


async def confirm(ports: Ports, context: Context) -> Outcome:
    """``confirm_rollback`` as the last step of the rollback's tasks: STOPPED when the rollback failed."""
    execution = await confirm_rollback(ports, context)
    failed = execution.status is ExecutionStatus.FAILED
    return Outcome(Ending.STOPPED if failed else Ending.DONE, execution.status_reason)


async def confirm_rollback(ports: Ports, context: Context) -> Execution:
    """ROLLED_BACK if every touched instance is back, else FAILED in phase ROLLBACK; the reason has the versions."""
    execution_id = context.execution.id
    async with ports.work() as work:
        execution = await work.executions.lock(execution_id)
        if execution.status is ExecutionStatus.ROLLING_BACK:
            rows = await work.executions.instances(execution_id)
            to, reason = _verdict(rows)
            moved, event = advance(execution, to, reason, SYSTEM, await work.now())
            if to is ExecutionStatus.FAILED:
                moved = replace(moved, failure_phase="ROLLBACK")
            await work.events.append(moved, [event, _completed(moved, rows)])
            await work.executions.save(moved)
            await work.commit()
    if await _is_put_back(ports, context):
        return await settle(ports, execution_id)
    return await find_execution(ports, execution_id)  # the control loop continues with it


async def _is_put_back(ports: Ports, context: Context) -> bool:
    try:
        return (await undrain_left(ports, context, PUT_BACK_SECONDS)).ending is not Ending.UNFINISHED
    except FleetError as error:
        log.warning("execution %s: %s", context.execution.id, error)
        return False


def _verdict(rows: Sequence[Instance]) -> tuple[ExecutionStatus, str]:
    left = [each for each in touched(rows) if each.status is not InstanceStatus.ROLLED_BACK]
    gone = naming_gone(rows)
    count = f"{count_by_version(rows)}; {gone}" if gone else count_by_version(rows)
    if not left:
        return ExecutionStatus.ROLLED_BACK, f"all touched instances are back; {count}"
    each_one = named((f"{each.instance_id}: {_why(each)}" for each in left), "; ")
    return ExecutionStatus.FAILED, f"rollback failed for {len(left)} instances: {each_one}; {count}"


def _why(left: Instance) -> str:
    if left.from_version is None:
        return "the version that it ran before is not known"
    return left.error or "not reverted"


def _completed(execution: Execution, rows: Sequence[Instance]) -> Event:
    back = [each.instance_id for each in rows if each.status is InstanceStatus.ROLLED_BACK]
    return RollbackCompleted(status=execution.status, reason=execution.status_reason, rolled_back_instances=back)
