"""Unpauses the DAG of an execution, best effort: a command must not fail because Airflow's database is unavailable."""

from __future__ import annotations

import logging

from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.domain.execution.execution import dag_id_of
from upgrade_orchestrator.service.ports.unit_of_work import Ports

log = logging.getLogger(__name__)


async def unpause_dag(ports: Ports, execution_id: str) -> None:
    """Unpause the DAG if it is paused; a failure is only logged."""
    try:
        await ports.runs.unpause(dag_id_of(execution_id))
    except Unavailable as error:
        log.warning("execution %s: its DAG may still be paused: %s", execution_id, error)
