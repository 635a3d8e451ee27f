"""Use case: start (contract section 3): VALIDATING at once, the checks run in Airflow.

An upgrade begins in a worker, which does so within a second. One that is started when others have just begun there
begins in the triggerer, some seconds later: it then needs neither a process, nor its memory, nor a worker that others
wait for.
"""

from __future__ import annotations

from dataclasses import replace

from upgrade_orchestrator.domain.execution.commands import Actor, Command, require_allowed
from upgrade_orchestrator.domain.execution.execution import Execution, advance
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.audit import receive
from upgrade_orchestrator.service.ports.unit_of_work import Ports

BEGIN_SECONDS = 15.0
"For how long an upgrade that begins in a worker counts as there: until it has begun, and given its worker back."


async def start_upgrade(ports: Ports, execution_id: str, actor: Actor) -> Execution:
    """Commit VALIDATING, then ask Airflow to read the dag file: the row is the truth, a lost request costs seconds.

    :raises NotFound: no such execution; :raises InvalidState: it is not PENDING.
    """
    async with ports.work() as work:
        execution = await work.executions.lock(execution_id)
        require_allowed(Command.START, execution.status)
        moved, event = advance(execution, ExecutionStatus.VALIDATING, "started", actor, await work.now())
        received = await receive(work, execution, Command.START, actor, None)
        await work.events.append(execution, [received, event])
        in_worker = await work.executions.may_begin_in_worker(ports.limits.worker_places, BEGIN_SECONDS)
        moved = await work.executions.save(replace(moved, begins_in_worker=in_worker))
        await work.commit()
    await ports.parse_requests.ask(execution_id)
    return moved
