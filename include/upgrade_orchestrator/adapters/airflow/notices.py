"""Starts a DAG run for each notice (API server only: no other component may write Airflow's database)."""

from __future__ import annotations

from dataclasses import dataclass

from upgrade_orchestrator.adapters.airflow.database import Session, ask_airflow
from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.domain.events.notifications import Notice, notice_dag


@dataclass(frozen=True, slots=True)
class AirflowNotices:
    """Port ``Notices``; ``wanted`` is whether any notifiers are configured."""

    wanted: bool

    def are_wanted(self) -> bool:
        """Only the DAG loads the notifiers: code of users does not run in the API server."""
        return self.wanted

    async def send(self, notice: Notice) -> None:
        """One run, whose id is the notice's key: Airflow's unique index rejects a second one."""
        await ask_airflow(lambda session: _trigger(session, notice))


def _trigger(session: Session, notice: Notice) -> None:
    from airflow.api.common.trigger_dag import trigger_dag
    from airflow.exceptions import DagNotFound, DagRunAlreadyExists
    from airflow.utils.types import DagRunTriggeredByType

    dag_id, conf = notice_dag(notice.kind), _conf(notice)
    by = DagRunTriggeredByType.REST_API
    try:
        trigger_dag(dag_id, triggered_by=by, run_id=notice.key, conf=conf, session=session)
    except DagRunAlreadyExists:
        return
    except DagNotFound as error:
        why = f"Airflow has no DAG {dag_id}: is [upgrades] notifiers set for the dag processor?"
        raise Unavailable(why) from error


def _conf(notice: Notice) -> dict[str, object]:
    return {
        "notice": notice.kind.value,
        "executionId": notice.execution_id,
        "sequence": notice.sequence,
        "time": notice.time.isoformat(),
        "data": dict(notice.data),
    }
