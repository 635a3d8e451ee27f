"""What the product knows of Airflow's side of an execution, as pure rules.

In comes a ``RunView``, the DAG run and its tasks as read from Airflow; out comes a decision on drift
(``drift.resolve_drift``), the status that the tasks stand for (``task_states.from_task_states``), or ids of DAG files,
task groups and tasks.
"""
