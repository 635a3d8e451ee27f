"""Warms up what the upgrades' tasks need before Airflow forks its workers: each task would otherwise do it again.

Only where plugins are loaded at start ([core] lazy_load_plugins = False): elsewhere it would come too late.
"""

from airflow.configuration import conf

from upgrade_orchestrator.flow.upgrade.warm_up import warm_up

if not conf.getboolean("core", "lazy_load_plugins"):
    warm_up()
