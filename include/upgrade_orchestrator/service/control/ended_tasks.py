"""Use case: end tasks that finished in the triggerer, without a parse of their DAG's file.

When a trigger ends its task successfully, Airflow makes the DAG processor parse the DAG's file, because there may be a
callback; then once more in full, because it takes a file parsed for a callback for one that was never parsed. That
costs more than all other work of such a task, and grows with the number of DAGs in the file. So the trigger notifies
the process that leads the control loops, which marks the task as succeeded in Airflow's database. If no process
listens, the trigger ends the task itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from upgrade_orchestrator.service.ports.signals import ANYTHING
from upgrade_orchestrator.service.ports.unit_of_work import Ports

COLLECT_SECONDS = 0.2
"How long to wait for more tasks that end at about the same time, as the checks of an upgrade do."
LISTEN_SECONDS = 60.0
PAGE_SIZE = 100
"Tasks in one transaction of Airflow's database, which locks their rows."


async def end_tasks(ports: Ports) -> None:
    """Listen for finished tasks and end them, until cancelled.

    :raises Unavailable: Airflow's database does not respond; tasks reported meanwhile are ended by their triggers.
    """
    async with ports.task_ends.listen() as ended:
        while True:
            named = await ended.wait(LISTEN_SECONDS)
            if named - {ANYTHING}:
                await asyncio.sleep(COLLECT_SECONDS)
                await _end(ports, sorted((named | await ended.wait(0)) - {ANYTHING}))


async def _end(ports: Ports, task_ids: Sequence[str]) -> None:
    for first in range(0, len(task_ids), PAGE_SIZE):
        await ports.runs.mark_succeeded(task_ids[first : first + PAGE_SIZE])
