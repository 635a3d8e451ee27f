"""Use case: started executions get their DAG, whoever started them and whatever became of the first request."""

from __future__ import annotations

from upgrade_orchestrator.domain.airflow.drift import AskForDag, follow
from upgrade_orchestrator.domain.airflow.shards import shard_file
from upgrade_orchestrator.domain.airflow.task_states import NO_RUN
from upgrade_orchestrator.domain.execution.execution import dag_id_of
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.ports.unit_of_work import Ports


async def ask_for_dags(ports: Ports) -> None:
    """Ask Airflow to read the file of every execution in VALIDATING whose DAG it does not know.

    A worker cannot ask when it starts one; a server may die between the start and its request.

    :raises Unavailable: our database or Airflow's does not answer.
    """
    async with ports.work() as work:
        standings = await work.executions.unsettled(ExecutionStatus.VALIDATING)
    fresh = [each for each in standings if each.run_ref is None]
    runs = await ports.runs.read([dag_id_of(each.id) for each in fresh]) if fresh else {}
    missing = [each.id for each in fresh if follow(each, runs.get(dag_id_of(each.id), NO_RUN)) == AskForDag()]
    # one request a file does for all that are born in it
    for execution_id in {shard_file(each): each for each in sorted(missing)}.values():
        await ports.parse_requests.ask(execution_id)
