"""Use cases of answers in the Airflow UI: the task stores them, the API server checks and applies them.

A worker cannot ask the auth manager who may approve, so an answer counts only once the API server has checked it.
"""

from __future__ import annotations

import asyncio
import logging

from upgrade_orchestrator.domain.airflow.stage_tasks import approve_task
from upgrade_orchestrator.domain.approval.approval import Answer, Approval, answer, discard_answer
from upgrade_orchestrator.domain.errors import Unavailable, UpgradeError
from upgrade_orchestrator.domain.execution.commands import Actor, Decision, Source
from upgrade_orchestrator.domain.execution.execution import dag_id_of
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.operations.permissions import Permission, lacking
from upgrade_orchestrator.service.approvals.decide import decide_stage, question_about
from upgrade_orchestrator.service.audit import record_command
from upgrade_orchestrator.service.ports.airflow import HumanTask
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork

log = logging.getLogger(__name__)

MAX_CONCURRENT = 4
"Answers that are applied concurrently, so that a fleet that does not respond does not delay the others."


async def answer_in_ui(ports: Ports, execution_id: str, stage: int, given: Answer) -> None:
    """Store the answer until it is applied, unless the stage is decided or answered already.

    :raises NotFound: no such execution.
    """
    async with ports.work() as work:
        await work.executions.lock(execution_id)
        found = await _find(work, execution_id, stage)
        if found is not None and (kept := answer(found, given)) != found:
            await work.approvals.save(kept)
            await work.commit()


async def apply_ui_answers(ports: Ports) -> None:
    """Turn every stored answer into a decision, or reopen its approval with the reason why it does not count.

    :raises Unavailable: the product's database or Airflow's does not respond.
    """
    await _collect(ports)
    async with ports.work() as work:
        answered = await work.approvals.answered()
    gate = asyncio.Semaphore(MAX_CONCURRENT)
    await asyncio.gather(*(_apply_safely(ports, each, gate) for each in answered))


async def _collect(ports: Ports) -> None:
    """Collect answers from Airflow, including those whose task died before storing them: its retry would ask again."""
    async with ports.work() as work:
        asked = {_task(each): each for each in await work.approvals.asked()}
    given = await ports.human_tasks.answers(list(asked)) if asked else {}
    for task, each in given.items():
        await answer_in_ui(ports, asked[task].execution_id, asked[task].stage, each)


def _task(approval: Approval) -> HumanTask:
    return HumanTask(dag_id_of(approval.execution_id), approve_task(approval.stage))


async def _apply_safely(ports: Ports, approval: Approval, gate: asyncio.Semaphore) -> None:
    async with gate:
        try:
            await _apply(ports, approval)
        except Unavailable as error:
            log.warning("execution %s: the answer is applied later: %s", approval.execution_id, error)
        except Exception:  # one failing answer must not prevent the others from being applied
            log.exception("execution %s: the answer cannot be applied", approval.execution_id)


async def _apply(ports: Ports, approval: Approval) -> None:
    actor = _actor(approval)
    try:
        await _require_permission(ports, approval)
        approve = approval.answer is Decision.APPROVED
        await decide_stage(ports, approval.execution_id, approval.stage, approve, approval.answer_reason, actor)
    except Unavailable:
        raise
    except UpgradeError as refusal:
        await _discard(ports, approval, refusal.detail, actor)
        await _ask_again(ports, approval)


def _actor(approval: Approval) -> Actor:
    assert approval.answered_by is not None  # there is an answer
    return Actor(approval.answered_by, Source.UI)


async def _require_permission(ports: Ports, approval: Approval) -> None:
    assert approval.answered_by is not None
    assert approval.answered_by_id is not None
    if not await ports.human_tasks.may_approve(approval.answered_by_id, approval.answered_by):
        raise lacking(approval.answered_by, Permission.APPROVE)


async def _discard(ports: Ports, approval: Approval, why: str, actor: Actor) -> None:
    """Reopen the approval; audit and events record who answered what, and why it does not count."""
    assert approval.answer is not None
    async with ports.work() as work:
        execution = await work.executions.lock(approval.execution_id)
        found = await _find(work, approval.execution_id, approval.stage)
        if found != approval or execution.status is not ExecutionStatus.IN_PROGRESS:
            return  # decided or answered again meanwhile; paused: applied after the resume; ended: not needed
        await work.approvals.save(discard_answer(approval, why))
        reason = f"refused: {why}"
        await work.events.append(
            execution, [await record_command(work, execution, approval.answer.command, actor, reason)]
        )
        await work.commit()


async def _ask_again(ports: Ports, approval: Approval) -> None:
    """Reopen the request in Airflow too, with the reason why the last answer did not count.

    If this fails, the answer is still in Airflow, and is collected and checked once more.
    """
    question = await question_about(ports, approval.execution_id, approval.stage)
    await ports.human_tasks.ask_again(_task(approval), question.body)


async def _find(work: UnitOfWork, execution_id: str, stage: int) -> Approval | None:
    return next((each for each in await work.approvals.of(execution_id) if each.stage == stage), None)
