"""Use case: retry tasks that were lost with their worker before they began (specification section 3)."""

from __future__ import annotations

import logging

from upgrade_orchestrator.service.ports.unit_of_work import Ports

log = logging.getLogger(__name__)

LOST_SECONDS = 60.0
"""A task that is queued for longer is taken for lost: a worker begins a task within seconds, and gets no more than it
can begin. If the task was only slow, nothing breaks: its old try is refused, and every task may be repeated."""

_WARNING = (
    "task %s was queued for more than %g s: it is given a new try; if this repeats, the executor's workers take no"
    " tasks any more: restart the scheduler"
)


async def retry_lost_tasks(ports: Ports) -> None:
    """Give lost tasks a new try.

    :raises Unavailable: Airflow's database does not respond.
    """
    for name in await ports.runs.retry_lost_tasks(LOST_SECONDS):
        log.warning(_WARNING, name, LOST_SECONDS)
