"""Work that may take long, by name: what a task begins in its worker and the triggerer goes on with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum

from include.upgrades.service.finish import verify
from include.upgrades.service.monitor_canary import monitor_canary, run_after_canaries
from include.upgrades.service.outcome import Outcome
from include.upgrades.service.ports import Ports


class Work(StrEnum):
    """Which use case; each may be called again at any time, by anybody."""

    BATCH = "batch"
    MONITOR = "monitor"
    VERIFY = "verify"


async def _verify(ports: Ports, execution_id: str, _: int, seconds: float | None) -> Outcome:
    return await verify(ports, execution_id, seconds)


async def _monitor(ports: Ports, execution_id: str, _: int, seconds: float | None) -> Outcome:
    return await monitor_canary(ports, execution_id, seconds)


Run = Callable[[Ports, str, int, float | None], Awaitable[Outcome]]

_RUNS: dict[Work, Run] = {Work.BATCH: run_after_canaries, Work.MONITOR: _monitor, Work.VERIFY: _verify}


async def work_on(ports: Ports, execution_id: str, work: Work, batch: int, seconds: float | None) -> Outcome:
    """Do ``work`` for about ``seconds`` (None: to its end); ``batch`` is the number of the batch or stage it is of."""
    return await _RUNS[work](ports, execution_id, batch, seconds)
