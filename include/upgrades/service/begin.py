"""Use case: the step with which an upgrade begins, in a worker while few upgrades do so, else in the triggerer.

A worker begins within a second, the triggerer some seconds later, but there an upgrade costs neither the memory of a
process nor a worker that others wait for.
"""

from __future__ import annotations

import logging

from include.upgrades.domain.steps import Step
from include.upgrades.service.outcome import Ending, Outcome
from include.upgrades.service.ports import Ports
from include.upgrades.service.press_on import do_step

log = logging.getLogger(__name__)


async def begin_in_worker(ports: Ports, execution_id: str, step: Step, seconds: float, patience: float) -> Outcome:
    """``do_step``; UNFINISHED, and nothing done, while as many others as may are in workers.

    :raises NotFound: no such execution; :raises FleetError: the fleet cannot be asked: try again; :raises StaleToken:
    it obeys somebody newer.
    """
    async with ports.worker_places.take() as taken:
        if not taken:
            log.info("execution %s: other upgrades are in the workers, so it begins in the triggerer", execution_id)
            return Outcome(Ending.UNFINISHED)
        return await do_step(ports, execution_id, step, seconds, patience)
