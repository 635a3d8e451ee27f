"""Use case: tasks that have done their work in the triggerer end in Airflow without a reading of their DAG's file.

For a task that its trigger ends well, Airflow has the dag processor read the DAG's file, as there may be a callback;
and then once more in full, since it takes a file read for a callback for one that it has never read. That costs more
than all else that such a task does, and grows with the DAGs in the file. So the trigger tells whoever leads the
control loops, and they mark the task as succeeded in Airflow's database. Where nobody hears it, the trigger ends the
task itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from upgrade_orchestrator.service.ports.signals import ANYTHING
from upgrade_orchestrator.service.ports.unit_of_work import Ports

GATHER_SECONDS = 0.2
"For how long others are waited for that are done at about the same time: the checks of an upgrade are."
LISTEN_SECONDS = 60.0
AT_ONCE = 100
"Tasks in one transaction of Airflow's database, whose rows nobody else can change meanwhile."


async def end_tasks(ports: Ports) -> None:
    """Until it is cancelled.

    :raises Unavailable: Airflow's database does not answer; what was told meanwhile its triggers see to.
    """
    async with ports.task_ends.told() as told:
        while True:
            named = await told.wait(LISTEN_SECONDS)
            if named - {ANYTHING}:
                await asyncio.sleep(GATHER_SECONDS)
                await _end(ports, sorted((named | await told.wait(0)) - {ANYTHING}))


async def _end(ports: Ports, task_ids: Sequence[str]) -> None:
    for first in range(0, len(task_ids), AT_ONCE):
        await ports.runs.end_well(task_ids[first : first + AT_ONCE])
