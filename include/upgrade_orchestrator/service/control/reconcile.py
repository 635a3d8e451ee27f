"""Use case: apply changes that people make in the Airflow UI; the execution's row stays authoritative (section 3)."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from upgrade_orchestrator.domain.airflow.drift import (
    DriftDecision,
    ExecutionSummary,
    FailExecution,
    FinishExecution,
    NoDrift,
    PauseExecution,
    RememberRun,
    RequestParse,
    ResumeExecution,
    UnpauseDag,
    resolve_drift,
)
from upgrade_orchestrator.domain.airflow.task_states import NO_RUN
from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.domain.execution.commands import Actor, Command, Source
from upgrade_orchestrator.domain.execution.execution import Execution, dag_id_of
from upgrade_orchestrator.domain.execution.failure import fail_from_anywhere
from upgrade_orchestrator.domain.lifecycle import transitions
from upgrade_orchestrator.domain.lifecycle.transitions import Moved
from upgrade_orchestrator.service.audit import record_command
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork

log = logging.getLogger(__name__)

AIRFLOW = Actor("airflow", Source.UI)
"The actor of such changes; Airflow's own audit log has the person."
MAX_CONCURRENT = 4
"Executions that are reconciled concurrently, limited by the database connections."


async def reconcile(ports: Ports) -> None:
    """Compare every started, unsettled execution with its DAG run, and resolve the drift of those that differ.

    :raises Unavailable: the product's database or Airflow's does not respond.
    """
    async with ports.work() as work:
        unsettled = await work.executions.unsettled()
    runs = await ports.runs.read([dag_id_of(each.id) for each in unsettled]) if unsettled else {}
    gate = asyncio.Semaphore(MAX_CONCURRENT)
    behind = [each.id for each in unsettled if _is_behind(resolve_drift(each, runs.get(dag_id_of(each.id), NO_RUN)))]
    await asyncio.gather(*(_reconcile_safely(ports, each, gate) for each in behind))


def _is_behind(decision: DriftDecision) -> bool:
    # other loops do these: finishing takes long, a resume asks the fleet, and parse requests are urgent
    return not isinstance(decision, NoDrift | FinishExecution | ResumeExecution | RequestParse)


async def _reconcile_safely(ports: Ports, execution_id: str, gate: asyncio.Semaphore) -> None:
    async with gate:
        try:
            await reconcile_now(ports, execution_id)
        except Unavailable as error:
            log.warning("execution %s is reconciled later: %s", execution_id, error)
        except Exception:  # one failing execution must not prevent the others from being reconciled
            log.exception("execution %s cannot be reconciled", execution_id)


async def reconcile_now(ports: Ports, execution_id: str) -> Execution:
    """Read execution and DAG run again under the execution's lock, so that no stale data decides; resolve the drift.

    :raises NotFound: no such execution.
    :raises Unavailable: the product's database or Airflow's does not respond.
    """
    async with ports.work() as work:
        execution = await work.executions.lock(execution_id)
        run = (await ports.runs.read([execution.dag_id])).get(execution.dag_id, NO_RUN)
        decision = resolve_drift(ExecutionSummary.of(execution), run)
        if isinstance(decision, UnpauseDag):
            await ports.runs.unpause(execution.dag_id)
        moved, events = await _carry_out(work, execution, decision)
        if moved.run_ref is None:
            moved = replace(moved, run_ref=run.ref)
        if moved != execution:
            log.info("execution %s: %s", execution_id, decision)
            await work.events.append(execution, events)
            moved = await work.executions.save(moved)
            await work.commit()
        return moved


async def _carry_out(work: UnitOfWork, execution: Execution, decision: DriftDecision) -> Moved:
    now = await work.now()
    match decision:
        case PauseExecution(reason):
            received = await record_command(work, execution, Command.PAUSE, AIRFLOW, reason)
            paused, events = transitions.pause(execution, reason, AIRFLOW, now)
            return replace(paused, dag_paused=True), [received, *events]
        case FailExecution(reason):
            return fail_from_anywhere(execution, reason, AIRFLOW, now)
        case RememberRun() | UnpauseDag() | FinishExecution() | ResumeExecution() | RequestParse() | NoDrift():
            return execution, []
