"""Use cases of an ended upgrade: finish what is in flight, then settle the execution, which frees its active slot."""

from __future__ import annotations

import asyncio
import logging

from upgrade_orchestrator.domain.airflow.drift import FinishExecution, resolve_drift
from upgrade_orchestrator.domain.airflow.task_states import NO_RUN
from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.domain.execution.execution import dag_id_of
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.finalize.rollback import run_rollback
from upgrade_orchestrator.service.finalize.settle import fail_if_unfinished, settle, unseen_for_too_long
from upgrade_orchestrator.service.finalize.undrain import undrain_left
from upgrade_orchestrator.service.ports.fleet import FleetError
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.rollout.batch import run_batch
from upgrade_orchestrator.service.runner.context import Context, find_execution, load_context
from upgrade_orchestrator.service.runner.outcome import Ending, Outcome
from upgrade_orchestrator.service.runner.settling import settle_from_rows

log = logging.getLogger(__name__)

MAX_CONCURRENT = 4
"Executions that are finished concurrently in the API server, which has other work as well."
SECONDS_A_TURN = 5.0
"""How long one execution is worked on in a round; the next round continues with it.

It is enough for two looks and the orders between them with a fleet that answers none of these (``MIN_CALL_SECONDS``).
"""


async def end_upgrade(ports: Ports, context: Context, seconds: float | None) -> Outcome:
    """The task ``end``: set an execution that no task works on any more to FAILED, then do ``finish_and_settle``.

    STOPPED when it is FAILED; SKIPPED when it is COMPLETED or rolled back: its run then ends with another task.
    """
    execution = await fail_if_unfinished(ports, context.execution.id)
    if execution.status is ExecutionStatus.COMPLETED or execution.rollback.initiated_at is not None:
        return Outcome(Ending.SKIPPED, f"the execution is {execution.status.value}")
    outcome = await finish_and_settle(ports, context, seconds)
    if outcome.ending is Ending.DONE and execution.status is ExecutionStatus.FAILED:
        return Outcome(Ending.STOPPED, execution.status_reason)
    return outcome


async def finish_and_settle(ports: Ports, context: Context, seconds: float | None) -> Outcome:
    """Finish what a terminal execution has in flight, undrain what it left drained, then settle it.

    No new work is begun. A fleet that does not respond keeps the execution only until the time-outs of what is in
    flight or drained are over; then the rows are counted.

    DONE once it is settled, UNFINISHED after about ``seconds`` (None: no limit), STOPPED when it is not terminal.
    Any process may call this at any time; the holder of the lease does the work.

    :raises FleetError: the fleet's connection cannot be used: try again.
    """
    execution = await find_execution(ports, context.execution.id)
    if not execution.is_terminal:
        return Outcome(Ending.STOPPED, f"the execution is {execution.status.value}")
    if execution.settled_at is None and not await _finish(ports, context, seconds):
        return Outcome(Ending.UNFINISHED)
    settled = (await settle(ports, execution.id)).settled_at is not None
    return Outcome(Ending.DONE if settled else Ending.UNFINISHED)


async def _finish(ports: Ports, context: Context, seconds: float | None) -> bool:
    """Whether nothing is left to do but to settle; done here if the fleet was not seen for too long."""
    problem = None
    try:
        if await _is_finished(ports, context, seconds):
            return True
    except FleetError as error:
        problem = error
    why = await unseen_for_too_long(ports, context)
    if why is not None:
        await settle_from_rows(ports, context.execution.id, why)
        return True
    if problem is not None:
        raise problem
    return False


async def _is_finished(ports: Ports, context: Context, seconds: float | None) -> bool:
    """Whether nothing is in flight or drained any more, as far as the fleet lets itself be seen."""
    for finish in (_finish_forward, run_rollback, undrain_left):
        if (await finish(ports, context, seconds)).ending is Ending.UNFINISHED:
            return False
    return True


async def _finish_forward(ports: Ports, context: Context, seconds: float | None) -> Outcome:
    return await run_batch(ports, context, 1, seconds)  # finishes instances of all batches


async def finalize_abandoned(ports: Ports) -> None:
    """Finish every terminal execution that has no DAG run any more whose tasks would do it.

    :raises Unavailable: the product's database or Airflow's does not respond.
    """
    async with ports.work() as work:
        over = [each for each in await work.executions.unsettled() if each.is_terminal]
    runs = await ports.runs.read([dag_id_of(each.id) for each in over]) if over else {}
    gate = asyncio.Semaphore(MAX_CONCURRENT)
    found = [each.id for each in over if resolve_drift(each, runs.get(dag_id_of(each.id), NO_RUN)) == FinishExecution()]
    await asyncio.gather(*(_finish_safely(ports, each, gate) for each in found))


async def _finish_safely(ports: Ports, execution_id: str, gate: asyncio.Semaphore) -> None:
    async with gate:
        try:
            await finish_and_settle(ports, await load_context(ports, execution_id), SECONDS_A_TURN)
        except (Unavailable, FleetError) as error:
            log.warning("execution %s is not settled yet: %s", execution_id, error)
        except Exception:  # one failing execution must not prevent the others from being settled
            log.exception("execution %s cannot be settled", execution_id)
