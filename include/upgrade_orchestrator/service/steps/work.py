"""What a task does: its step, every open step before it, and what is due at once after it.

The rows say what is done, so the work of a task may be done before the task begins. The task then finds nothing left
to do, and ends: an upgrade does not wait until Airflow has started its next task.
"""

from __future__ import annotations

import logging
from asyncio import get_running_loop
from math import inf

from upgrade_orchestrator.domain.approval.approval import is_approved
from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.domain.execution.execution import Execution, Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.plan.steps import TASK_START_SECONDS, WAITS, Step, StepKind, StepProgress
from upgrade_orchestrator.service.finalize.finalize import finish_and_settle
from upgrade_orchestrator.service.finalize.rollback import confirm_rollback, roll_back
from upgrade_orchestrator.service.ports.fleet import FleetError
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork
from upgrade_orchestrator.service.runner.attention import AttentionKeeper
from upgrade_orchestrator.service.runner.context import Context, context_in, find_execution, load_context
from upgrade_orchestrator.service.runner.journal.sentences import pairs
from upgrade_orchestrator.service.runner.journal.task_log import TaskLog
from upgrade_orchestrator.service.runner.outcome import Ending, Outcome
from upgrade_orchestrator.service.steps.table import STEPS, Prerequisite, StepCall

log = TaskLog()
_NUMBERED = (StepKind.BATCH, StepKind.APPROVAL, StepKind.WAIT_FOR_ANSWER)
"The steps that there are several of in an upgrade."


async def complete_step(ports: Ports, execution_id: str, step: Step, seconds: float | None) -> Outcome:
    """Do ``step`` and every open step before it, for about ``seconds`` (None: to its end).

    :raises NotFound: no such execution.
    :raises FleetError: the fleet does not respond: try again.
    """
    return (await _complete_step(ports, execution_id, step, _end(seconds)))[1]


async def run_step(
    ports: Ports, execution_id: str, step: Step, seconds: float | None, max_delay: float = TASK_START_SECONDS
) -> Outcome:
    """As ``complete_step``, and then what is due within ``max_delay`` seconds: the next task could not begin sooner.

    If a step stopped, the rollback is begun or the execution is finished (``finish_or_roll_back``).

    :raises NotFound: no such execution.
    :raises FleetError: the fleet does not respond: try again.
    """
    end = _end(seconds)
    context, outcome = await _complete_step(ports, execution_id, step, end)
    if STEPS[step.kind][0] is Prerequisite.NOTHING:
        return outcome
    if outcome.ending is Ending.DONE:
        await run_following_steps(
            ports, context, step, max_delay, min(TASK_START_SECONDS, end - get_running_loop().time())
        )
    elif outcome.ending is Ending.STOPPED:
        await finish_or_roll_back(ports, context, _left(end))
    return outcome


async def verify_now(ports: Ports, execution_id: str, seconds: float) -> tuple[Outcome, Execution]:
    """Do the verification and every open step before it; returns also the execution as it is then.

    :raises FleetError: the fleet does not respond, so there is no result: try again.
    """
    execution = await find_execution(ports, execution_id)
    if execution.is_terminal:
        log.say(f"step nothing kind=verify: the execution is {execution.status.value}: {execution.status_reason}")
        done = execution.status is ExecutionStatus.COMPLETED
        return Outcome(Ending.DONE if done else Ending.STOPPED, execution.status_reason), execution
    outcome = await complete_step(ports, execution_id, Step(StepKind.VERIFY), seconds)
    return outcome, await find_execution(ports, execution_id)


def _end(seconds: float | None) -> float:
    return inf if seconds is None else get_running_loop().time() + seconds


def _left(end: float) -> float | None:
    return None if end == inf else max(0.0, end - get_running_loop().time())


async def _complete_step(ports: Ports, execution_id: str, step: Step, end: float) -> tuple[Context, Outcome]:
    if STEPS[step.kind][0] is Prerequisite.NOTHING:
        context = await load_context(ports, execution_id)
        return context, await _call(ports, context, step, end)
    async with ports.work() as work:
        context = await context_in(work, execution_id)
        required = (await progress_in(work, context.execution)).required_for(step, context.plan)
    if not required:
        log.say(f"{pairs('step nothing', **_named(step))}: it is done already, by an earlier task or another process")
    for each in required:
        outcome = await _call(ports, context, each, end)
        if outcome.ending is Ending.STOPPED and await _is_completed(ports, context):
            break  # another process has completed the upgrade meanwhile, which looks like a stop
        if outcome.ending is not Ending.DONE:
            return context, outcome
    return context, Outcome(Ending.DONE)


async def _call(ports: Ports, context: Context, step: Step, end: float) -> Outcome:
    """Do the step. Without a fleet a terminal execution needs none of its steps but the end, which gives up in time."""
    log.say(pairs("step begin", **_named(step)))
    try:
        outcome = await STEPS[step.kind][1](StepCall(ports, context, step, _left(end)))
        log.say(f"{pairs('step end', **_named(step))} -> {outcome.ending.value}{_because(outcome)}")
        return outcome
    except FleetError as error:
        execution = await find_execution(ports, context.execution.id)
        if not execution.is_terminal:
            await AttentionKeeper(ports, execution.id).stuck(error, execution.attention)
        if step.kind is StepKind.END or not execution.is_terminal:
            raise
        return Outcome(Ending.STOPPED, f"the execution is {execution.status.value}")


def _named(step: Step) -> dict[str, object]:
    numbered = step.kind in _NUMBERED
    last = step.last if step.last > step.batch else None
    return {"kind": step.kind.value} | ({"batch": step.batch, "last": last} if numbered else {})


def _because(outcome: Outcome) -> str:
    if outcome.ending is Ending.UNFINISHED:
        return ": its time here is over, and it goes on elsewhere, from the rows"
    return f": {outcome.reason}" if outcome.reason else ""


async def progress_in(work: UnitOfWork, execution: Execution) -> StepProgress:
    """Which steps of the execution are done, according to its rows."""
    staged = execution.request.strategy is Strategy.STAGED
    approvals = await work.approvals.of(execution.id) if staged else []
    approved = frozenset(each.stage for each in approvals if is_approved(execution, each))
    return StepProgress(execution, await work.executions.batches(execution.id), approved)


async def _is_completed(ports: Ports, context: Context) -> bool:
    async with ports.work() as work:
        return (await work.executions.get(context.execution.id)).status is ExecutionStatus.COMPLETED


async def run_following_steps(ports: Ports, context: Context, done: Step, max_delay: float, seconds: float) -> None:
    """Do the steps after ``done`` for about ``seconds``, as long as they are due within ``max_delay``.

    If one of them stops the upgrade, the rollback is begun or the execution is finished. Does not wait for a person or
    a soak. What cannot be done now is left to the step's own task, which tries again.
    """
    try:
        await _run_following(ports, context, done, max_delay, get_running_loop().time() + seconds)
    except (Unavailable, FleetError) as error:
        log.say(f"step later: {error}; its own task tries again", logging.WARNING)


async def _run_following(ports: Ports, context: Context, done: Step, max_delay: float, end: float) -> None:
    async with ports.work() as work:
        progress = await progress_in(work, await work.executions.get(context.execution.id))
    if progress.execution.is_terminal:
        return
    for step in progress.following(done, context.plan):
        due, left = await _due_in(ports, context, step), end - get_running_loop().time()
        if due > max_delay or left <= 0:
            return
        outcome = await _call(ports, context, step, get_running_loop().time() + due + left)
        if outcome.ending is Ending.STOPPED:
            await _finish_or_roll_back(ports, context, min(TASK_START_SECONDS, left))
        if outcome.ending is not Ending.DONE:
            return


async def _due_in(ports: Ports, context: Context, step: Step) -> float:
    """Seconds until the step may begin; infinite if that depends on a person or a soak."""
    if step.kind in WAITS:
        return inf
    if step.kind is not StepKind.BATCH:
        return 0.0
    async with ports.work() as work:
        batches, now = await work.executions.batches(context.execution.id, step.batch), await work.now()
    due_at = next((each.due_at for each in batches if each.number == step.batch), None)
    return 0.0 if due_at is None else max(0.0, (due_at - now).total_seconds())


async def finish_or_roll_back(ports: Ports, context: Context, seconds: float | None) -> None:
    """Begin the rollback of an execution in ROLLING_BACK; finish and settle a terminal one; for about ``seconds``.

    None: until it is settled, since the task that would do so may have to wait for a worker first. A rollback is
    begun here and left to the task ``rollback.revert``, which needs no worker. What cannot be done now is left to the
    step's own task, which tries again.
    """
    try:
        await _finish_or_roll_back(ports, context, seconds)
    except (Unavailable, FleetError) as error:
        log.say(f"step later: {error}; its own task tries again", logging.WARNING)


async def _finish_or_roll_back(ports: Ports, context: Context, seconds: float | None) -> None:
    async with ports.work() as work:
        execution = await work.executions.get(context.execution.id)
    if execution.status is ExecutionStatus.ROLLING_BACK:
        at_most = TASK_START_SECONDS if seconds is None else min(TASK_START_SECONDS, seconds)
        if (await roll_back(ports, context, at_most)).ending is Ending.DONE:
            await confirm_rollback(ports, context)
    elif execution.is_terminal:
        await finish_and_settle(ports, context, seconds)
