"""Use cases of STAGED: request the approval of a stage, wait for the decision, decide (specification section 4)."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from upgrade_orchestrator.domain.approval.approval import (
    Approval,
    StageState,
    ask,
    decidable,
    decide,
    require_stage,
    state_of_stage,
)
from upgrade_orchestrator.domain.approval.question import Question, question_of
from upgrade_orchestrator.domain.checks.finishing import warned
from upgrade_orchestrator.domain.execution.commands import Actor, Decision
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.lifecycle import transitions
from upgrade_orchestrator.domain.lifecycle.rollback_start import begin_rollback
from upgrade_orchestrator.domain.lifecycle.transitions import Moved
from upgrade_orchestrator.service.approvals.release import release_tasks
from upgrade_orchestrator.service.audit import record_command
from upgrade_orchestrator.service.checks.preconditions import require_runnable
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork
from upgrade_orchestrator.service.runner.journal.sentences import pairs
from upgrade_orchestrator.service.runner.journal.task_log import TaskLog
from upgrade_orchestrator.service.runner.outcome import SLOW_POLL_SECONDS, Ending, Outcome
from upgrade_orchestrator.service.runner.wait import wait_until


async def request_approval(ports: Ports, execution_id: str, stage: int) -> StageState:
    """Request the approval of ``stage`` once the stage before it has ended; returns the state of the approval.

    :raises NotFound: no such execution.
    """
    async with ports.work() as work:
        execution = await work.executions.get(execution_id)
        found, state = await _look_up(work, execution, stage)
    return await _ask(ports, execution_id, stage) if state is StageState.ASKED and found is None else state


async def _ask(ports: Ports, execution_id: str, stage: int) -> StageState:
    async with ports.work() as work:
        execution = await work.executions.lock(execution_id)
        found, state = await _look_up(work, execution, stage)
        if state is StageState.ASKED and found is None:
            approval, event = ask(execution, stage, await work.now())
            await work.approvals.save(approval)
            await work.events.append(execution, [event])
            await work.commit()
        return state


async def _look_up(work: UnitOfWork, execution: Execution, stage: int) -> tuple[Approval | None, StageState]:
    found = next((each for each in await work.approvals.of(execution.id) if each.stage == stage), None)
    before = (await work.executions.batches(execution.id, stage - 1))[0]
    return found, state_of_stage(execution, found, before)


async def question_about(ports: Ports, execution_id: str, stage: int) -> Question:
    """The approval request as a person reads it; the approval has been requested.

    :raises NotFound: no such execution.
    """
    async with ports.work() as work:
        execution = await work.executions.get(execution_id)
        plan, rows = await work.executions.plan(execution_id), await work.executions.instances(execution_id)
        approval = next(each for each in await work.approvals.of(execution_id) if each.stage == stage)
    return question_of(execution, plan, approval, rows)


async def wait_for_decision(ports: Ports, execution_id: str, stage: int, seconds: float | None) -> Outcome:
    """Request the approval if necessary and wait: DONE once approved, STOPPED when the stage is not wanted any more.

    UNFINISHED after about ``seconds`` (None: no limit). A pause does not end the wait.

    :raises NotFound: no such execution.
    """
    TaskLog().say(f"{pairs('wait', **{'for': 'approval'}, stage=stage)}: a person decides, in Airflow or by the API")
    return await wait_until(partial(_look, ports, execution_id, stage), ports, execution_id, seconds)


async def wait_for_answer(ports: Ports, execution_id: str, stage: int, seconds: float | None) -> Outcome:
    """As ``wait_for_decision``, but also STOPPED once an answer in the UI did not count: the task then asks again."""

    async def look() -> Outcome | float:
        if await request_approval(ports, execution_id, stage) is StageState.ASKED:
            return Outcome(Ending.STOPPED, "the answer did not count: the question and the events say why")
        return await _look(ports, execution_id, stage)

    return await wait_until(look, ports, execution_id, seconds)


async def _look(ports: Ports, execution_id: str, stage: int) -> Outcome | float:
    match await request_approval(ports, execution_id, stage):
        case StageState.APPROVED:
            return Outcome(Ending.DONE)
        case StageState.OVER:
            return Outcome(Ending.STOPPED, "the execution does not need this stage any more")
    return SLOW_POLL_SECONDS


async def decide_stage(
    ports: Ports, execution_id: str, stage: int, approve: bool, reason: str | None, actor: Actor
) -> Execution:
    """Decide on ``stage``: it may begin, or the upgrade is rolled back or cancelled.

    :raises NotFound: no such execution or stage.
    :raises InvalidState: the status allows no decision, or this stage does not wait for one.
    :raises Forbidden: four eyes.
    :raises UpgradeBlocked: the stage cannot run now; it keeps waiting.
    """
    decision = Decision.APPROVED if approve else Decision.REJECTED
    async with ports.work() as work:
        await _decidable(ports, work, await work.executions.get(execution_id), stage, decision, actor)
    warnings = await require_runnable(ports, execution_id) if approve else ()
    async with ports.work() as work:
        execution = await work.executions.lock(execution_id)
        approval = await _decidable(ports, work, execution, stage, decision, actor)
        now = await work.now()
        decided, event = decide(approval, decision, reason, actor, now)
        received = await record_command(work, execution, decision.command, actor, reason)
        moved, events = (
            (warned(execution, warnings), []) if approve else await _reject(work, execution, decided, actor, now)
        )
        await work.approvals.save(decided)
        await work.events.append(execution, [received, event, *events])
        if moved != execution:
            moved = await work.executions.save(moved)
        await work.commit()
    await release_tasks(ports, moved)
    return moved


async def _decidable(
    ports: Ports, work: UnitOfWork, execution: Execution, stage: int, decision: Decision, actor: Actor
) -> Approval:
    require_stage(await work.executions.plan(execution.id), execution.id, stage)
    approvals = await work.approvals.of(execution.id)
    return decidable(execution, approvals, stage, decision, actor, ports.options.four_eyes)


async def _reject(work: UnitOfWork, execution: Execution, decided: Approval, actor: Actor, now: datetime) -> Moved:
    """Roll back or cancel; the DAG's tasks carry it out, because earlier stages have touched instances."""
    why = f"stage {decided.stage} rejected by {actor.name}" + (f": {decided.reason}" if decided.reason else "")
    if execution.request.auto_rollback_enabled:
        return begin_rollback(execution, why, actor, now)
    return transitions.cancel(execution, await work.executions.instances(execution.id), why, actor, now)
