"""Use case: keep up with what people do in the Airflow UI (contract section 3). State is ours, the hand was theirs."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from upgrade_orchestrator.domain.airflow.drift import (
    AskForDag,
    BringToEnd,
    FailIt,
    Follow,
    Nothing,
    PauseIt,
    Remember,
    ResumeIt,
    Standing,
    Unpause,
    follow,
)
from upgrade_orchestrator.domain.airflow.task_states import NO_RUN
from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.domain.execution.commands import Actor, Command, Source
from upgrade_orchestrator.domain.execution.execution import Execution, dag_id_of
from upgrade_orchestrator.domain.execution.failure import fail_from_anywhere
from upgrade_orchestrator.domain.lifecycle import transitions
from upgrade_orchestrator.domain.lifecycle.transitions import Moved
from upgrade_orchestrator.service.audit import receive
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork
from upgrade_orchestrator.service.upgrade.resume import resume_in

log = logging.getLogger(__name__)

AIRFLOW = Actor("airflow", Source.UI)
"Who did it: Airflow's own audit log has the person."
AT_ONCE = 4
"Executions that are followed side by side: as many as there are connections to spare."


async def reconcile(ports: Ports) -> None:
    """Look at every started, unsettled execution once, and follow where Airflow and we do not agree.

    :raises Unavailable: our database or Airflow's does not answer.
    """
    async with ports.work() as work:
        standings = await work.executions.unsettled()
    runs = await ports.runs.read([dag_id_of(each.id) for each in standings]) if standings else {}
    gate = asyncio.Semaphore(AT_ONCE)
    behind = [each.id for each in standings if _is_behind(follow(each, runs.get(dag_id_of(each.id), NO_RUN)))]
    await asyncio.gather(*(_keep_up(ports, each, gate) for each in behind))


def _is_behind(decision: Follow) -> bool:
    # the end is another loop's, it takes its time; the DAG another one's, it is urgent
    return not isinstance(decision, Nothing | BringToEnd | AskForDag)


async def _keep_up(ports: Ports, execution_id: str, gate: asyncio.Semaphore) -> None:
    async with gate:
        try:
            await reconcile_now(ports, execution_id)
        except Unavailable as error:
            log.warning("execution %s is followed later: %s", execution_id, error)
        except Exception:  # one that cannot be followed must not keep the others from it
            log.exception("execution %s cannot be followed", execution_id)


async def reconcile_now(ports: Ports, execution_id: str) -> Execution:
    """Look at both sides again under the execution's lock, so that no stale picture decides, and do what follows.

    :raises NotFound: no such execution; :raises Unavailable: our database or Airflow's does not answer.
    """
    async with ports.work() as work:
        execution = await work.executions.lock(execution_id)
        run = (await ports.runs.read([execution.dag_id])).get(execution.dag_id, NO_RUN)
        decision = follow(Standing.of(execution), run)
        if isinstance(decision, Unpause):
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


async def _carry_out(work: UnitOfWork, execution: Execution, decision: Follow) -> Moved:
    now = await work.now()
    match decision:
        case PauseIt(reason):
            received = await receive(work, execution, Command.PAUSE, AIRFLOW, reason)
            paused, events = transitions.pause(execution, reason, AIRFLOW, now)
            return replace(paused, dag_paused=True), [received, *events]
        case ResumeIt(reason):
            received = await receive(work, execution, Command.RESUME, AIRFLOW, reason)
            resumed, events = await resume_in(work, execution, reason, AIRFLOW, now)
            return resumed, [received, *events]
        case FailIt(reason):
            return fail_from_anywhere(execution, reason, AIRFLOW, now)
        case Remember() | Unpause() | BringToEnd() | AskForDag() | Nothing():
            return execution, []
