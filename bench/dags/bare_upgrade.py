"""An Airflow DAG of an upgrade's shape whose tasks only sleep: the least that such a DAG takes on this Airflow.

Triggered with `{"delay": seconds}`; not part of the product.
"""

import time

from airflow.providers.standard.operators.python import BranchPythonOperator, PythonOperator
from airflow.sdk import DAG, TriggerRule
from airflow.sdk.bases.operator import BaseOperator

CHECKS, BATCHES, UPGRADE_SECONDS = 5, 4, 0.5


def nothing() -> None:
    """Stands for a check, admission or verification."""


def work(number: int, delay: int) -> None:
    """Stands for a batch: wait in the worker for the delay between batches, then for the time that the upgrade
    takes.
    """
    time.sleep(delay * (number > 1) + UPGRADE_SECONDS)


def batch(number: int) -> BaseOperator:
    arguments = {"number": number, "delay": "{{ dag_run.conf['delay'] }}"}
    return PythonOperator(task_id=f"batch_{number}", python_callable=work, op_kwargs=arguments)


def choose() -> str:
    """Branch as the product's DAG does."""
    return "complete"


with DAG(
    "bench_bare_upgrade",
    schedule=None,
    catchup=False,
    is_paused_upon_creation=False,
    max_active_runs=100,
    max_active_tasks=100,
    render_template_as_native_obj=True,
    default_args={"do_xcom_push": False},
):
    admit = PythonOperator(task_id="admit", python_callable=nothing)
    for check in range(1, CHECKS + 1):
        PythonOperator(task_id=f"check_{check}", python_callable=nothing) >> admit
    last: BaseOperator = admit
    for each in range(1, BATCHES + 1):
        last = last >> batch(each)
    verify = PythonOperator(task_id="verify", python_callable=nothing)
    ends = [PythonOperator(task_id=name, python_callable=nothing) for name in ("complete", "end")]
    outcome = BranchPythonOperator(task_id="outcome", python_callable=choose, trigger_rule=TriggerRule.ALL_DONE)
    last >> verify >> outcome >> ends
