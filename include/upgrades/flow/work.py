"""Work that may take long, by name: what a task begins in its worker and the triggerer goes on with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum

from include.upgrades.domain.blue_green import Goal
from include.upgrades.service.approvals import wait_for_judgement
from include.upgrades.service.end import end_upgrade
from include.upgrades.service.finish import verify
from include.upgrades.service.monitor_canary import monitor_canary, run_after_canaries
from include.upgrades.service.outcome import Outcome
from include.upgrades.service.ports import Ports
from include.upgrades.service.requested import follow_to_end
from include.upgrades.service.switch_over import switch_over


class Work(StrEnum):
    """Which use case; each may be called again at any time, by anybody."""

    BATCH = "batch"
    MONITOR = "monitor"
    JUDGEMENT = "judgement"
    VERIFY = "verify"
    CHECK_GREEN = "check-green"
    SWITCH_TRAFFIC = "switch-traffic"
    SOAK = "soak"
    RETIRE_BLUE = "retire-blue"
    END = "end"
    FOLLOW = "follow"


async def _verify(ports: Ports, execution_id: str, _: int, seconds: float | None) -> Outcome:
    return await verify(ports, execution_id, seconds)


async def _monitor(ports: Ports, execution_id: str, _: int, seconds: float | None) -> Outcome:
    return await monitor_canary(ports, execution_id, seconds)


async def _end(ports: Ports, execution_id: str, _: int, seconds: float | None) -> Outcome:
    return await end_upgrade(ports, execution_id, seconds)


async def _follow(ports: Ports, execution_id: str, _: int, seconds: float | None) -> Outcome:
    return await follow_to_end(ports, execution_id, seconds)


def _switch_over(goal: Goal) -> Run:
    async def run(ports: Ports, execution_id: str, _: int, seconds: float | None) -> Outcome:
        return await switch_over(ports, execution_id, goal, seconds)

    return run


Run = Callable[[Ports, str, int, float | None], Awaitable[Outcome]]

_RUNS: dict[Work, Run] = {
    Work.BATCH: run_after_canaries,
    Work.MONITOR: _monitor,
    Work.JUDGEMENT: wait_for_judgement,
    Work.VERIFY: _verify,
    Work.CHECK_GREEN: _switch_over(Goal.CHECKED),
    Work.SWITCH_TRAFFIC: _switch_over(Goal.SWITCHED),
    Work.SOAK: _switch_over(Goal.SOAKED),
    Work.RETIRE_BLUE: _switch_over(Goal.RETIRED),
    Work.END: _end,
    Work.FOLLOW: _follow,
}


async def work_on(ports: Ports, execution_id: str, work: Work, batch: int, seconds: float | None) -> Outcome:
    """Do ``work`` for about ``seconds`` (None: to its end); ``batch`` is the number of the batch or stage it is of."""
    return await _RUNS[work](ports, execution_id, batch, seconds)
