"""Use case: go on with what follows, so that an upgrade does not wait for the task whose turn it is.

A task is only the hand that works: the rows say what is done, so its work may be done before it begins. It then finds
that there is nothing left to do, and ends.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from include.upgrades.domain.approval import needs_approval
from include.upgrades.domain.errors import Unavailable
from include.upgrades.domain.plan import Plan
from include.upgrades.domain.states import ExecutionStatus
from include.upgrades.domain.steps import BRANCHES, HOP_SECONDS, WAITS, Step, Work, steps_after
from include.upgrades.service.approvals import stage_is_approved
from include.upgrades.service.end import bring_to_end
from include.upgrades.service.fleet_ports import FleetError
from include.upgrades.service.outcome import Ending, Outcome
from include.upgrades.service.ports import Ports
from include.upgrades.service.pulse import now_seconds
from include.upgrades.service.roll_back import confirm_rollback, revert
from include.upgrades.service.work import work_on

log = logging.getLogger(__name__)


async def do_step(ports: Ports, execution_id: str, step: Step, seconds: float | None) -> Outcome:
    """What the task of ``step`` does: it, and what is due before the next task could do it.

    For about ``seconds`` (None: to its end).

    :raises NotFound: no such execution; :raises FleetError: the fleet cannot be asked: try again; :raises StaleToken:
    it obeys somebody newer.
    """
    if step.work in BRANCHES:
        return await work_on(ports, execution_id, step, seconds)
    left = await _left_of(ports, execution_id, step)
    outcome = Outcome(Ending.DONE) if left is None else await work_on(ports, execution_id, left, seconds)
    # somebody else may have brought the whole upgrade to its end meanwhile, which looks like a stop
    if outcome.ending is Ending.STOPPED and await _left_of(ports, execution_id, step) is None:
        outcome = Outcome(Ending.DONE)
    if outcome.ending is Ending.DONE:
        await press_on(ports, execution_id, step, HOP_SECONDS, HOP_SECONDS)
    elif outcome.ending is Ending.STOPPED:
        await press_out(ports, execution_id, HOP_SECONDS)
    return outcome


async def _left_of(ports: Ports, execution_id: str, step: Step) -> Step | None:
    """What nobody has done of it, None: nothing; the execution may have ended since."""
    async with ports.work() as work:
        execution = await work.executions.get(execution_id)
        if execution.status is ExecutionStatus.COMPLETED:
            return None
        if step.work is not Work.BATCH:
            return step
        batches = await work.executions.batches(execution_id, step.batch)
    left = [each.number for each in batches if each.number <= step.last and each.completed_at is None]
    return replace(step, batch=left[0]) if left else None


async def press_on(ports: Ports, execution_id: str, done: Step | None, patience: float, seconds: float) -> None:
    """Do what follows ``done`` (None: everything) for about ``seconds``, as long as it is due within ``patience``.

    Also the way out of an upgrade that stops. Waits for no person and for no soak. What cannot be done now is left to
    the task whose turn it is, which tries again.

    :raises NotFound: no such execution.
    """
    try:
        await _do_following(ports, execution_id, done, patience, now_seconds() + seconds)
    except (Unavailable, FleetError) as error:
        log.warning("execution %s: %s; its next task tries again", execution_id, error)


async def _do_following(ports: Ports, execution_id: str, done: Step | None, patience: float, end: float) -> None:
    async with ports.work() as work:
        execution, plan = await work.executions.get(execution_id), await work.executions.plan(execution_id)
    for step in steps_after(plan, done) if not execution.is_terminal else ():
        due = await _due_in(ports, execution_id, plan, step)
        left = end - now_seconds()
        if due is None or due > patience or left <= 0:
            return
        outcome = await work_on(ports, execution_id, step, due + left)
        if outcome.ending is Ending.STOPPED:
            await _leave(ports, execution_id, left)
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


async def press_out(ports: Ports, execution_id: str, seconds: float) -> None:
    """The upgrade has stopped: go back if it goes back, let go of it if it is over, for about ``seconds``.

    What cannot be done now is left to the task whose turn it is, which tries again.

    :raises NotFound: no such execution.
    """
    try:
        await _leave(ports, execution_id, seconds)
    except (Unavailable, FleetError) as error:
        log.warning("execution %s: %s; its next task tries again", execution_id, error)


async def _leave(ports: Ports, execution_id: str, seconds: float) -> None:
    async with ports.work() as work:
        execution = await work.executions.get(execution_id)
    if execution.status is ExecutionStatus.ROLLING_BACK:
        if (await revert(ports, execution_id, seconds)).ending is Ending.DONE:
            await confirm_rollback(ports, execution_id)
    elif execution.is_terminal:
        await bring_to_end(ports, execution_id, seconds)
