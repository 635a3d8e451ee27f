"""The use case behind each step: whoever does it, a worker, the triggerer or the next one after a crash."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from upgrade_orchestrator.domain.blue_green.cutover import Goal
from upgrade_orchestrator.domain.plan.steps import Step, Work
from upgrade_orchestrator.service.approvals.decide import wait_for_judgement
from upgrade_orchestrator.service.blue_green.cutover import switch_over
from upgrade_orchestrator.service.finalize.finalize import end_upgrade
from upgrade_orchestrator.service.finalize.rollback import confirm, revert
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.rollout.canary import monitor_canary, run_after_canaries
from upgrade_orchestrator.service.rollout.last_step import finish_and_verify
from upgrade_orchestrator.service.runner.outcome import Outcome
from upgrade_orchestrator.service.upgrade.ensure import follow_to_end

Run = Callable[[Ports, str, Step, float | None], Awaitable[Outcome]]


def _of_execution(use_case: Callable[[Ports, str, float | None], Awaitable[Outcome]]) -> Run:
    """For what has no number."""

    async def run(ports: Ports, execution_id: str, _: Step, seconds: float | None) -> Outcome:
        return await use_case(ports, execution_id, seconds)

    return run


def _switch_over(goal: Goal) -> Run:
    async def run(ports: Ports, execution_id: str, _: Step, seconds: float | None) -> Outcome:
        return await switch_over(ports, execution_id, goal, seconds)

    return run


async def _batches(ports: Ports, execution_id: str, step: Step, seconds: float | None) -> Outcome:
    return await run_after_canaries(ports, execution_id, step.batch, seconds, step.last)


async def _judgement(ports: Ports, execution_id: str, step: Step, seconds: float | None) -> Outcome:
    return await wait_for_judgement(ports, execution_id, step.batch, seconds)


_RUNS: dict[Work, Run] = {
    Work.BATCH: _batches,
    Work.MONITOR: _of_execution(monitor_canary),
    Work.JUDGEMENT: _judgement,
    Work.CHECK_GREEN: _switch_over(Goal.CHECKED),
    Work.SWITCH_TRAFFIC: _switch_over(Goal.SWITCHED),
    Work.SOAK: _switch_over(Goal.SOAKED),
    Work.RETIRE_BLUE: _switch_over(Goal.RETIRED),
    Work.VERIFY: _of_execution(finish_and_verify),
    Work.REVERT: _of_execution(revert),
    Work.CONFIRM: _of_execution(confirm),
    Work.END: _of_execution(end_upgrade),
    Work.FOLLOW: _of_execution(follow_to_end),
}


async def work_on(ports: Ports, execution_id: str, step: Step, seconds: float | None) -> Outcome:
    """Do ``step`` for about ``seconds`` (None: to its end).

    :raises NotFound: no such execution; :raises FleetError: the fleet cannot be asked; :raises StaleToken: it obeys
    somebody newer.
    """
    return await _RUNS[step.work](ports, execution_id, step, seconds)
