"""Use case: the last step forward, which makes up for what the tasks before it have not done."""

from __future__ import annotations

from math import inf

from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import UPGRADING, ExecutionStatus
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.rollout.canary import run_after_canaries
from upgrade_orchestrator.service.rollout.verification import verify
from upgrade_orchestrator.service.runner.backoff import now_seconds
from upgrade_orchestrator.service.runner.outcome import Ending, Outcome
from upgrade_orchestrator.service.views.queries import find_execution


async def finish_and_verify(ports: Ports, execution_id: str, seconds: float | None) -> Outcome:
    """Work on batches that are not done, as when somebody took their tasks for done, and then ``verify``.

    For about ``seconds``, None: to its end.

    :raises FleetError: the fleet cannot be asked, which is no verdict: try again; :raises StaleToken: it obeys somebody
    newer.
    """
    end = inf if seconds is None else now_seconds() + seconds
    async with ports.work() as work:
        execution = await work.executions.get(execution_id)
        batches = await work.executions.batches(execution_id)
    left = [each.number for each in batches if each.completed_at is None]
    if left and (execution.status in UPGRADING or execution.status is ExecutionStatus.PAUSED):
        outcome = await run_after_canaries(ports, execution_id, left[0], seconds, batches[-1].number)
        if outcome.ending is not Ending.DONE:
            return outcome
    return await verify(ports, execution_id, None if seconds is None else max(0.0, end - now_seconds()))


async def verify_now(ports: Ports, execution_id: str, seconds: float) -> tuple[Outcome, Execution]:
    """As ``finish_and_verify``, and the execution after it; one that is over already costs one look.

    :raises FleetError: the fleet cannot be asked, which is no verdict: try again.
    """
    execution = await find_execution(ports, execution_id)
    if execution.is_terminal:
        done = execution.status is ExecutionStatus.COMPLETED
        return Outcome(Ending.DONE if done else Ending.STOPPED, execution.status_reason), execution
    outcome = await finish_and_verify(ports, execution_id, seconds)
    return outcome, await find_execution(ports, execution_id)
