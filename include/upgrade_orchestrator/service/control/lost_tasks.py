"""Use case: a task that was lost with its worker before it began does not hold up its upgrade (contract section 3)."""

from __future__ import annotations

import logging

from upgrade_orchestrator.service.ports.unit_of_work import Ports

log = logging.getLogger(__name__)

LOST_SECONDS = 60.0
"""A task that is queued for so long is lost: a worker needs seconds, and is given no more than it can begin. One that
was only slow does no harm: its try is over before it begins, and every task may be repeated."""

_TOLD = (
    "task %s was queued for more than %g s: it is given a new try; if that goes on, the executor's workers take no"
    " tasks any more: start the scheduler anew"
)


async def begin_lost_tasks_again(ports: Ports) -> None:
    """Begin such tasks again.

    :raises Unavailable: Airflow's database does not answer.
    """
    for name in await ports.runs.begin_lost_again(LOST_SECONDS):
        log.warning(_TOLD, name, LOST_SECONDS)
