"""Airflow as the ports see it: connections, DAG runs and tasks, notices, metrics, and its ``auth`` manager.

Most modules read or write Airflow's own database, which only the API server may do; they go through
``database.ask_airflow``. Workers and the triggerer use only ``connections`` and ``parse_requests.NoParseRequests``.
"""
