"""Use case: resume executions whose DAG was unpaused in the Airflow UI, by the rule of the command (section 3).

What a resume looks at includes the fleet, whose answer may take seconds. So this is a loop of its own, beside the one
that follows all other changes, and nothing is locked and no connection is held while a fleet is asked.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

from upgrade_orchestrator.domain.airflow.drift import ExecutionSummary, ResumeExecution, resolve_drift
from upgrade_orchestrator.domain.airflow.task_states import NO_RUN, RunView
from upgrade_orchestrator.domain.checks.finishing import warned
from upgrade_orchestrator.domain.errors import Unavailable, UpgradeBlocked
from upgrade_orchestrator.domain.execution.commands import Command
from upgrade_orchestrator.domain.execution.execution import Execution, dag_id_of
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.audit import record_command
from upgrade_orchestrator.service.checks.preconditions import require_runnable
from upgrade_orchestrator.service.control.reconcile import AIRFLOW
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.upgrade.resume import resume_in

log = logging.getLogger(__name__)

FLEET_SECONDS = 8.0
"How long a fleet has to answer: with the loop's period less than the 15 s within which an execution follows."
MAX_IN_ROUND = 16
"Executions in one round; the others come in the next, as those of this one are resumed or paused again."

MAX_AT_ONCE = 2
"Executions that are changed at once, limited by the database connections, which the reconciler needs too."


async def resume_unpaused(ports: Ports) -> None:
    """Resume the executions that were paused with their DAG and whose DAG is not paused any more.

    One that cannot go on stays PAUSED with the reason, and its DAG is paused again.

    :raises Unavailable: the product's database or Airflow's does not respond.
    """
    async with ports.work() as work:
        paused = [each for each in await work.executions.unsettled(ExecutionStatus.PAUSED) if each.dag_paused]
    runs = await ports.runs.read([dag_id_of(each.id) for each in paused]) if paused else {}
    wanted = [each.id for each in paused if _resumes(each, runs.get(dag_id_of(each.id), NO_RUN))]
    gate = asyncio.Semaphore(MAX_AT_ONCE)
    await asyncio.gather(*(_resume_safely(ports, each, gate) for each in wanted[:MAX_IN_ROUND]))


def _resumes(execution: ExecutionSummary, run: RunView) -> bool:
    return isinstance(resolve_drift(execution, run), ResumeExecution)


async def _resume_safely(ports: Ports, execution_id: str, gate: asyncio.Semaphore) -> None:
    try:
        await _resume_if_runnable(ports, execution_id, gate)
    except Unavailable as error:
        log.warning("execution %s is resumed later: %s", execution_id, error)
    except Exception:  # one failing execution must not prevent the others from being resumed
        log.exception("execution %s cannot be resumed", execution_id)


async def _resume_if_runnable(ports: Ports, execution_id: str, gate: asyncio.Semaphore) -> None:
    """Fleets are asked all at once; only what follows uses connections, and takes turns."""
    warnings, refused = tuple[str, ...](), ""
    try:
        warnings = await require_runnable(ports, execution_id, room=False, seconds=FLEET_SECONDS)
    except UpgradeBlocked as refusal:
        refused = refusal.detail
    async with gate:
        if refused:
            await _keep_reason(ports, execution_id, f"{_UNPAUSED}, but the upgrade stays paused: {refused}")
            await _pause_dag(ports, execution_id)
        else:
            await _resume(ports, execution_id, warnings)


_UNPAUSED = "the DAG was unpaused in Airflow"


async def _resume(ports: Ports, execution_id: str, warnings: Sequence[str]) -> None:
    async with ports.work() as work:
        execution = await work.executions.lock(execution_id)
        if await _is_unpaused(ports, execution):
            received = await record_command(work, execution, Command.RESUME, AIRFLOW, _UNPAUSED)
            resumed, events = await resume_in(work, execution, _UNPAUSED, AIRFLOW, await work.now())
            await work.events.append(execution, [received, *events])
            await work.executions.save(warned(resumed, warnings))
            await work.commit()


async def _keep_reason(ports: Ports, execution_id: str, reason: str) -> None:
    """Before the DAG is paused: if this process dies in between, the next round finds the same again."""
    async with ports.work() as work:
        execution = await work.executions.lock(execution_id)
        if execution.status_reason != reason and await _is_unpaused(ports, execution):
            refused = await record_command(work, execution, Command.RESUME, AIRFLOW, f"refused: {reason}")
            await work.events.append(execution, [refused])
            await work.executions.save(replace(execution, status_reason=reason))
            await work.commit()


async def _pause_dag(ports: Ports, execution_id: str) -> None:
    """Under the execution's lock, so that a resume by REST does not come in between and is undone."""
    async with ports.work() as work:
        execution = await work.executions.lock(execution_id)
        if await _is_unpaused(ports, execution):
            await ports.runs.pause(execution.dag_id)


async def _is_unpaused(ports: Ports, execution: Execution) -> bool:
    """Looked at again under the lock, so that no stale data decides."""
    run = (await ports.runs.read([execution.dag_id])).get(execution.dag_id, NO_RUN)
    return _resumes(ExecutionSummary.of(execution), run)
