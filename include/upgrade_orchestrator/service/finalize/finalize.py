"""Use cases of an upgrade that is over: bring what is in flight to its end, then let go of its place."""

from __future__ import annotations

import asyncio
import logging

from upgrade_orchestrator.domain.airflow.drift import BringToEnd, follow
from upgrade_orchestrator.domain.airflow.task_states import NO_RUN
from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.domain.execution.execution import dag_id_of
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.finalize.rollback import work_back
from upgrade_orchestrator.service.finalize.settle import conclude, settle
from upgrade_orchestrator.service.finalize.undrain import undrain_left
from upgrade_orchestrator.service.ports.fleet import FleetError
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.rollout.batch import run_batch
from upgrade_orchestrator.service.runner.context import Context, find_execution, load_context
from upgrade_orchestrator.service.runner.outcome import Ending, Outcome

log = logging.getLogger(__name__)

AT_ONCE = 4
"Executions brought to their end side by side in the API server, which has other things to do."
SECONDS_A_TURN = 3.0
"How long one execution keeps its place among those; the next round goes on with it."


async def end_upgrade(ports: Ports, context: Context, seconds: float | None) -> Outcome:
    """The task ``end``: an execution that nothing works on any more has FAILED, then as ``bring_to_end``.

    STOPPED when it has failed, NOT_TAKEN when it is COMPLETED or was rolled back: its run ends otherwise.
    """
    execution = await conclude(ports, context.execution.id)
    if execution.status is ExecutionStatus.COMPLETED or execution.rollback.initiated_at is not None:
        return Outcome(Ending.NOT_TAKEN, f"the execution is {execution.status.value}")
    outcome = await bring_to_end(ports, context, seconds)
    if outcome.ending is Ending.DONE and execution.status is ExecutionStatus.FAILED:
        return Outcome(Ending.STOPPED, execution.status_reason)
    return outcome


async def bring_to_end(ports: Ports, context: Context, seconds: float | None) -> Outcome:
    """Finish what a terminal execution has in flight, forward and back, put back what is drained, then settle.

    Begins nothing new.

    DONE once it is settled, UNFINISHED after about ``seconds`` (None: not before), STOPPED when it is not over at all.
    Anybody may do so at any time: who has the lease does it.

    :raises FleetError: the fleet cannot be asked what it runs: try again.
    """
    execution = await find_execution(ports, context.execution.id)
    if not execution.is_terminal:
        return Outcome(Ending.STOPPED, f"the execution is {execution.status.value}")
    for finish in (_finish_forward, work_back) if execution.settled_at is None else ():
        if (await finish(ports, context, seconds)).ending is Ending.UNFINISHED:
            return Outcome(Ending.UNFINISHED)
    if (await undrain_left(ports, context, seconds)).ending is Ending.UNFINISHED:
        return Outcome(Ending.UNFINISHED)
    settled = (await settle(ports, execution.id)).settled_at is not None
    return Outcome(Ending.DONE if settled else Ending.UNFINISHED)


async def _finish_forward(ports: Ports, context: Context, seconds: float | None) -> Outcome:
    return await run_batch(ports, context, 1, seconds)  # whichever batch it is in flight for


async def end_abandoned(ports: Ports) -> None:
    """Do so for every execution that is over and has no DAG run any more whose tasks would.

    :raises Unavailable: our database or Airflow's does not answer.
    """
    async with ports.work() as work:
        over = [each for each in await work.executions.unsettled() if each.is_terminal]
    runs = await ports.runs.read([dag_id_of(each.id) for each in over]) if over else {}
    gate = asyncio.Semaphore(AT_ONCE)
    found = [each.id for each in over if follow(each, runs.get(dag_id_of(each.id), NO_RUN)) == BringToEnd()]
    await asyncio.gather(*(_take_a_turn(ports, each, gate) for each in found))


async def _take_a_turn(ports: Ports, execution_id: str, gate: asyncio.Semaphore) -> None:
    async with gate:
        try:
            await bring_to_end(ports, await load_context(ports, execution_id), SECONDS_A_TURN)
        except (Unavailable, FleetError) as error:
            log.warning("execution %s is not settled yet: %s", execution_id, error)
        except Exception:  # one that cannot be ended must not keep the others from it
            log.exception("execution %s cannot be settled", execution_id)
