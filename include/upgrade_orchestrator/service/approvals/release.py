"""Releases tasks that wait in Airflow for a person, once no decision is needed any more."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from upgrade_orchestrator.domain.airflow.stage_tasks import approve_task
from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.domain.execution.commands import Decision
from upgrade_orchestrator.domain.execution.execution import DAG_PREFIX, Execution, Strategy, dag_id_of
from upgrade_orchestrator.service.ports.airflow import HumanTask
from upgrade_orchestrator.service.ports.unit_of_work import Ports

log = logging.getLogger(__name__)


async def release_approval_tasks(ports: Ports) -> None:
    """Release every task whose stage is decided, or whose execution does not need a decision any more.

    :raises Unavailable: the product's database or Airflow's does not respond.
    """
    await _release(ports, await ports.human_tasks.waiting())


async def release_tasks(ports: Ports, execution: Execution) -> None:
    """Release the tasks of one execution right after a decision; if it fails, the control loop repeats it in 1 s."""
    if execution.request.strategy is not Strategy.STAGED:
        return
    try:
        await _release(ports, await ports.human_tasks.waiting(execution.dag_id))
    except Unavailable as error:
        log.warning("execution %s: its task in Airflow is released later: %s", execution.id, error)


async def _release(ports: Ports, tasks: Sequence[HumanTask]) -> None:
    if not tasks:
        return
    async with ports.work() as work:
        over = await work.approvals.over([each.dag_id.removeprefix(DAG_PREFIX) for each in tasks])
    known = {HumanTask(dag_id_of(each.execution_id), approve_task(each.stage)): each for each in over}
    for task in tasks:
        if (approval := known.get(task)) is not None:
            approved = approval.decision is Decision.APPROVED
            await ports.human_tasks.release(task, approved, approval.decided_by)
