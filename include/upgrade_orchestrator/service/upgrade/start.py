"""Use case: start (specification section 3): the execution is VALIDATING at once, the checks run in Airflow.

An upgrade begins in a worker, within a second. If others have just begun there, it begins in the triggerer instead,
some seconds later: that needs no process of its own, and takes no worker from other tasks.
"""

from __future__ import annotations

from dataclasses import replace

from upgrade_orchestrator.domain.execution.commands import Actor, Command, require_allowed
from upgrade_orchestrator.domain.execution.execution import Execution, advance
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.audit import record_command
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork

BEGIN_SECONDS = 15.0
"How long an upgrade counts as beginning in a worker: until it has given its worker back."


async def start_upgrade(ports: Ports, execution_id: str, actor: Actor) -> Execution:
    """Commit VALIDATING, then request a parse of the DAG file; a lost request is repeated by a control loop.

    :raises NotFound: no such execution.
    :raises InvalidState: it is not PENDING.
    """
    async with ports.work() as work:
        moved = await start_in(work, await work.executions.lock(execution_id), ports.options.worker_places, actor)
        await work.commit()
    await ports.parse_requests.ask(execution_id)
    return moved


async def start_in(
    work: UnitOfWork, execution: Execution, worker_places: int, actor: Actor, why: str = "started"
) -> Execution:
    """The locked execution in VALIDATING, with ``why`` as its reason; the caller commits, and then requests a parse.

    :raises InvalidState: it is not PENDING.
    """
    require_allowed(Command.START, execution.status)
    moved, event = advance(execution, ExecutionStatus.VALIDATING, why, actor, await work.now())
    received = await record_command(work, execution, Command.START, actor, None)
    await work.events.append(execution, [received, event])
    in_worker = await work.executions.may_begin_in_worker(worker_places, BEGIN_SECONDS)
    return await work.executions.save(replace(moved, begins_in_worker=in_worker))
