"""Which execution a run of the DAG ``upgrade_request`` creates."""

from __future__ import annotations

from datetime import datetime

from upgrade_orchestrator.adapters.airflow.database import Session, ask_airflow
from upgrade_orchestrator.adapters.ids import id_for
from upgrade_orchestrator.domain.execution.execution import REQUEST_DAG


def requested_id(dag_id: str, run_id: str, run_after: datetime) -> str:
    """The execution id of a DAG run: always the same, and a different one if the run is deleted and created again."""
    return id_for(f"{dag_id} {run_id}", run_after)


async def requested_by(run_id: str) -> str | None:
    """The execution id of the run, whether the run has created it or not; None: there is no such run (API server only).

    :raises Unavailable: Airflow's database does not answer.
    """
    run_after = await ask_airflow(lambda session: _run_after(session, run_id))
    return None if run_after is None else requested_id(REQUEST_DAG, run_id, run_after)


def _run_after(session: Session, run_id: str) -> datetime | None:
    from airflow.models.dagrun import DagRun
    from sqlalchemy import select

    found = select(DagRun.run_after).where(DagRun.dag_id == REQUEST_DAG, DagRun.run_id == run_id)
    run_after: datetime | None = session.scalar(found)
    return run_after
