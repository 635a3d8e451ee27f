"""Use case: go on with what follows, so that an upgrade does not wait for the task whose turn it is.

The rows say what is done, so the work of a task may be done before the task begins. It then finds nothing left to do,
and ends.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from math import inf

from upgrade_orchestrator.domain.approval.approval import needs_approval
from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.plan.plan import Plan
from upgrade_orchestrator.domain.plan.steps import BRANCHES, HOP_SECONDS, WAITS, Step, Work, steps_after
from upgrade_orchestrator.service.approvals.decide import stage_is_approved
from upgrade_orchestrator.service.checks.run import validate
from upgrade_orchestrator.service.finalize.finalize import bring_to_end
from upgrade_orchestrator.service.finalize.rollback import confirm_rollback, revert
from upgrade_orchestrator.service.ports.fleet import FleetError
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.rollout.steps import work_on
from upgrade_orchestrator.service.runner.backoff import now_seconds
from upgrade_orchestrator.service.runner.outcome import Ending, Outcome

log = logging.getLogger(__name__)


async def do_step(
    ports: Ports, execution_id: str, step: Step, seconds: float | None, patience: float = HOP_SECONDS
) -> Outcome:
    """What the task of ``step`` does: it, and what is due within ``patience`` after it, before the next task could.

    For about ``seconds`` (None: to its end, and some seconds of what follows). An execution that is VALIDATING is
    brought through that first: its first step begins beside the tasks of the checks.

    :raises NotFound: no such execution; :raises FleetError: the fleet cannot be asked: try again; :raises StaleToken:
    it obeys somebody newer.
    """
    if step.work in BRANCHES:
        return await work_on(ports, execution_id, step, seconds)
    end = inf if seconds is None else now_seconds() + seconds
    status, left = await _look_up(ports, execution_id, step)
    if status is ExecutionStatus.VALIDATING:
        validated = await validate(ports, execution_id, seconds)
        if validated.ending is not Ending.DONE:
            return validated
    outcome = await _do(ports, execution_id, step, left, None if seconds is None else end - now_seconds())
    if outcome.ending is Ending.DONE:
        await press_on(ports, execution_id, step, patience, min(HOP_SECONDS, end - now_seconds()))
    elif outcome.ending is Ending.STOPPED:
        await wind_down(ports, execution_id, None if seconds is None else end - now_seconds())
    return outcome


async def _do(ports: Ports, execution_id: str, step: Step, left: Step | None, seconds: float | None) -> Outcome:
    outcome = Outcome(Ending.DONE) if left is None else await work_on(ports, execution_id, left, seconds)
    if outcome.ending is not Ending.STOPPED:
        return outcome
    # somebody else may have brought the whole upgrade to its end meanwhile, which looks like a stop
    _, left = await _look_up(ports, execution_id, step)
    return Outcome(Ending.DONE) if left is None else outcome


async def _look_up(ports: Ports, execution_id: str, step: Step) -> tuple[ExecutionStatus, Step | None]:
    """The execution's status, and what nobody has done of the step, None: nothing; it may have ended since."""
    async with ports.work() as work:
        status = (await work.executions.get(execution_id)).status
        if status is ExecutionStatus.COMPLETED:
            return status, None
        if step.work is not Work.BATCH or status is ExecutionStatus.VALIDATING:
            return status, step
        batches = await work.executions.batches(execution_id, step.batch)
    left = [each.number for each in batches if each.number <= step.last and each.completed_at is None]
    return status, replace(step, batch=left[0]) if left else None


async def press_on(ports: Ports, execution_id: str, done: Step, patience: float, seconds: float) -> None:
    """Do what follows ``done`` for about ``seconds``, as long as it is due within ``patience``.

    Also the way out of an upgrade that stops. Waits for no person and for no soak. What cannot be done now is left to
    the task whose turn it is, which tries again.

    :raises NotFound: no such execution.
    """
    try:
        await _do_following(ports, execution_id, done, patience, now_seconds() + seconds)
    except (Unavailable, FleetError) as error:
        log.warning("execution %s: %s; its next task tries again", execution_id, error)


async def _do_following(ports: Ports, execution_id: str, done: Step, patience: float, end: float) -> None:
    async with ports.work() as work:
        execution, plan = await work.executions.get(execution_id), await work.executions.plan(execution_id)
    if execution.is_terminal:
        return
    for step in steps_after(plan, done):
        due = await _due_in(ports, execution_id, plan, step)
        left = end - now_seconds()
        if due is None or due > patience or left <= 0:
            return
        outcome = await work_on(ports, execution_id, step, due + left)
        if outcome.ending is Ending.STOPPED:
            await _leave(ports, execution_id, min(HOP_SECONDS, left))
        if outcome.ending is not Ending.DONE:
            return


async def _due_in(ports: Ports, execution_id: str, plan: Plan, step: Step) -> float | None:
    """Seconds until the step may begin; None: nobody can say."""
    if step.work in WAITS:
        return None
    if step.work is not Work.BATCH:
        return 0.0
    if needs_approval(plan, step.batch) and not await stage_is_approved(ports, execution_id, step.batch):
        return None
    async with ports.work() as work:
        batches, now = await work.executions.batches(execution_id, step.batch), await work.now()
    due_at = next((each.due_at for each in batches if each.number == step.batch), None)
    return 0.0 if due_at is None else max(0.0, (due_at - now).total_seconds())


async def wind_down(ports: Ports, execution_id: str, seconds: float | None) -> None:
    """The upgrade has stopped: go back if it goes back, let go of it if it is over, for about ``seconds``.

    None: until it is let go of, since the task that would do so may have to wait for a worker first. The way back is
    begun and left to ``rollback.revert``, which needs no worker. What cannot be done now is left to the task whose turn
    it is, which tries again.

    :raises NotFound: no such execution.
    """
    try:
        await _leave(ports, execution_id, seconds)
    except (Unavailable, FleetError) as error:
        log.warning("execution %s: %s; its next task tries again", execution_id, error)


async def _leave(ports: Ports, execution_id: str, seconds: float | None) -> None:
    async with ports.work() as work:
        execution = await work.executions.get(execution_id)
    if execution.status is ExecutionStatus.ROLLING_BACK:
        at_most = HOP_SECONDS if seconds is None else min(HOP_SECONDS, seconds)
        if (await revert(ports, execution_id, at_most)).ending is Ending.DONE:
            await confirm_rollback(ports, execution_id)
    elif execution.is_terminal:
        await bring_to_end(ports, execution_id, seconds)
