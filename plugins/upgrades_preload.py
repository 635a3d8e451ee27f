"""Loads what the upgrades' tasks need before Airflow forks its workers, which then start warm.

Has an effect only where plugins are loaded at start ([core] lazy_load_plugins = False): each forked task process would
otherwise import it all again, a quarter of a second of a core for every task.
"""

import airflow.sdk.execution_time.supervisor
import airflow.sdk.execution_time.task_runner  # noqa: F401

import include.upgrades.flow.factory  # noqa: F401
