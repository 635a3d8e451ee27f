"""Warms up what the upgrades' tasks need before Airflow forks its workers, where plugins are loaded at start
([core] lazy_load_plugins = False): each task process would otherwise do it again, for a tenth of a second of a core.
"""

from include.upgrades.flow.warm_up import warm_up

warm_up()
