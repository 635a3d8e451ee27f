"""The DAGs that send notices, one for each kind. A run is a notice, a task a notifier; tasks run independently."""

from __future__ import annotations

import copy
from datetime import timedelta
from functools import partial
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG
from airflow.sdk.bases.operator import BaseOperator

from upgrade_orchestrator import bootstrap
from upgrade_orchestrator.domain.events.notifications import NoticeKind, notice_dag
from upgrade_orchestrator.flow.notifications.notifiers import Notifiers, load_notifiers
from upgrade_orchestrator.flow.upgrade.operators import asset_extra
from upgrade_orchestrator.service.runner.context import find_execution
from upgrade_orchestrator.settings import Settings, option_of

SENT_AT_ONCE = 2
"Concurrent tasks of a kind, so that notifiers that hang do not take the workers from the upgrades."
RETRIES: dict[str, Any] = {
    "retries": 5,
    "retry_delay": timedelta(seconds=10),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=10),
    "execution_timeout": timedelta(minutes=2),
    "do_xcom_push": False,
}


def build_notifications() -> dict[str, DAG]:
    """The DAGs by id; none if no notifiers are configured.

    :raises ValueError: the option cannot be used; Airflow shows this as an import error.
    """
    reference = Settings.read().notifiers
    if reference is None:
        return {}
    notifiers = load_notifiers(reference)
    return {notice_dag(kind): _build(kind, notifiers) for kind in NoticeKind}


def _build(kind: NoticeKind, notifiers: Notifiers) -> DAG:
    with DAG(
        dag_id=notice_dag(kind),
        dag_display_name=f"Upgrade notices: {kind.value}",
        description="Sends notices of upgrades with the notifiers of [upgrades] notifiers",
        tags={"upgrade", "notices"},
        schedule=None,
        catchup=False,
        max_active_tasks=SENT_AT_ONCE,
        max_active_runs=100,
        is_paused_upon_creation=False,
        default_args=RETRIES,
    ) as dag:
        for number, _ in enumerate(notifiers[kind]):
            NotifyOperator(task_id=f"notifier_{number + 1}", kind=kind.value, number=number)
        if not notifiers[kind]:
            EmptyOperator(task_id="nobody_to_notify")
    return dag


class NotifyOperator(BaseOperator):
    """Sends the run's notice with one notifier."""

    ui_color = "#f3e8fb"

    def __init__(self, *, kind: str, number: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind, self.number = kind, number

    def execute(self, context: Any) -> None:
        """Call the notifier with Airflow's context, to which ``upgrade`` adds the execution and what happened."""
        conf = context["dag_run"].conf
        execution = bootstrap.run(partial(find_execution, execution_id=conf["executionId"]))
        happened = {each: conf[each] for each in ("notice", "sequence", "time")} | conf["data"]
        context["upgrade"] = happened | asset_extra(execution)
        # rendering changes a notifier, so use a copy
        copy.copy(self._notifier())(context)

    def _notifier(self) -> Any:
        reference = Settings.read().notifiers
        if reference is None:
            raise ValueError(f"{option_of('notifiers')} is not set for this worker")
        return load_notifiers(reference)[NoticeKind(self.kind)][self.number]
