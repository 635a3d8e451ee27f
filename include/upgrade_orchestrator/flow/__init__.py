"""Airflow's side of an upgrade: DAGs, operators and triggers.

Input: the specs of started executions, read from the database when Airflow parses the dag files. Output: DAGs whose
tasks call use cases of ``service`` and end as those do. All state is in our database, so each task may run again. The
entry points are ``upgrade.factory.build_dags``, ``request.dag.build_upgrade_request`` and
``notifications.dags.build_notifications``.
"""
