"""Use case: start (contract section 3): VALIDATING at once, the checks run in Airflow."""

from __future__ import annotations

from include.upgrades.domain.commands import Actor, Command, require_allowed
from include.upgrades.domain.execution import Execution, advance
from include.upgrades.domain.states import ExecutionStatus
from include.upgrades.service.audit import receive
from include.upgrades.service.ports import Ports


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
        moved = await work.executions.save(moved)
        await work.commit()
    await ports.parse_requests.ask(execution_id)
    return moved
