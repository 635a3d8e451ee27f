"""Use case: request a parse for started executions whose DAG is missing in Airflow."""

from __future__ import annotations

from upgrade_orchestrator.domain.airflow.drift import RequestParse, resolve_drift
from upgrade_orchestrator.domain.airflow.shards import shard_file
from upgrade_orchestrator.domain.airflow.task_states import NO_RUN
from upgrade_orchestrator.domain.execution.execution import dag_id_of
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.ports.unit_of_work import Ports


async def request_dags(ports: Ports) -> None:
    """Request a parse of the DAG file of every execution in VALIDATING whose DAG Airflow does not know.

    A worker that starts an execution cannot make this request, and a server may die between the start and the request.

    :raises Unavailable: the product's database or Airflow's does not respond.
    """
    async with ports.work() as work:
        unsettled = await work.executions.unsettled(ExecutionStatus.VALIDATING)
    fresh = [each for each in unsettled if each.run_ref is None]
    runs = await ports.runs.read([dag_id_of(each.id) for each in fresh]) if fresh else {}
    missing = [each.id for each in fresh if resolve_drift(each, runs.get(dag_id_of(each.id), NO_RUN)) == RequestParse()]
    # one request per file, as a file defines the DAGs of many executions
    for execution_id in {shard_file(each): each for each in sorted(missing)}.values():
        await ports.parse_requests.ask(execution_id)
