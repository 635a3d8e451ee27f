"""Use case: go on with what follows, so that an upgrade does not wait for the task whose turn it is.

A task is only the hand that works: the rows say what is done, so its work may be done before it begins. It then finds
that there is nothing left to do, and ends.
"""

from __future__ import annotations

import logging

from include.upgrades.domain.approval import needs_approval
from include.upgrades.domain.errors import Unavailable
from include.upgrades.domain.plan import Plan
from include.upgrades.domain.states import ExecutionStatus
from include.upgrades.domain.steps import HOP_SECONDS, WAITS, Step, Work, steps_after
from include.upgrades.service.approvals import stage_is_approved
from include.upgrades.service.end import bring_to_end
from include.upgrades.service.fleet_ports import FleetError
from include.upgrades.service.outcome import Ending, Outcome
from include.upgrades.service.ports import Ports
from include.upgrades.service.pulse import now_seconds
from include.upgrades.service.roll_back import confirm_rollback, revert
from include.upgrades.service.work import work_on

log = logging.getLogger(__name__)


async def do_step(ports: Ports, execution_id: str, step: Step, last: int, seconds: float | None) -> Outcome:
    """What the task of ``step`` does: it, the batches up to ``last`` that are one piece of work with it, and what is
    due before the next task could do it; for about ``seconds`` each (None: to its end).

    :raises NotFound: no such execution; :raises FleetError: the fleet cannot be asked: try again; :raises StaleToken:
    it obeys somebody newer.
    """
    outcome = await _do_chain(ports, execution_id, step, last, seconds)
    if step.work in _BRANCHES or outcome.ending is Ending.UNFINISHED:
        return outcome
    if outcome.ending is Ending.DONE:
        await press_on(ports, execution_id, Step(step.work, last), HOP_SECONDS, HOP_SECONDS)
    else:
        await press_out(ports, execution_id, HOP_SECONDS)
    return outcome


_BRANCHES = frozenset({Work.REVERT, Work.CONFIRM, Work.END})
"The last of a run: nothing follows them."


async def _do_chain(ports: Ports, execution_id: str, step: Step, last: int, seconds: float | None) -> Outcome:
    outcome = Outcome(Ending.DONE)
    for number in range(step.batch, last + 1):
        part = Step(step.work, number)
        if not await _is_done(ports, execution_id, part):
            outcome = await work_on(ports, execution_id, part, seconds)
        # somebody else may have brought the whole upgrade to its end meanwhile, which looks like a stop
        if outcome.ending is not Ending.DONE and not await _is_done(ports, execution_id, part):
            return outcome
    return Outcome(Ending.DONE)


async def _is_done(ports: Ports, execution_id: str, step: Step) -> bool:
    """Whether it was done, by whomever; the execution may have ended since."""
    if step.work in _BRANCHES:
        return False
    async with ports.work() as work:
        execution = await work.executions.get(execution_id)
        batches = await work.executions.batches(execution_id, step.batch) if step.work is Work.BATCH else []
    completed = any(each.number == step.batch and each.completed_at is not None for each in batches)
    return completed or execution.status is ExecutionStatus.COMPLETED


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
        plan = await work.executions.plan(execution_id)
    for step in steps_after(plan, done):
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
