"""Installs the probe in a process: each part as soon as the module that it measures is imported."""

from bench.probe import calls, supervisors, tasks, triggers
from bench.probe.hooks import after_import


def install() -> None:
    """Imports nothing of Airflow itself, so that a process pays only for what it uses, as without the probe."""
    after_import(
        {
            "airflow.sdk.execution_time.supervisor": supervisors.measure,
            "airflow.sdk.execution_time.task_runner": tasks.measure,
            "airflow.jobs.triggerer_job_runner": triggers.measure,
            "aiohttp": calls.count_fleet_requests,
            "httpx": calls.count_airflow_requests,
            "psycopg": calls.count_statements,
        }
    )
