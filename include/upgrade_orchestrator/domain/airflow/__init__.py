"""The rules for Airflow's side of an execution: drift, task states, and the ids of files, task groups and tasks.

Input: a ``RunView``, the DAG run and its tasks as read from Airflow. Output: a decision on drift
(``drift.resolve_drift``), the status that the tasks stand for (``task_states.from_task_states``), or ids of DAG files,
task groups and tasks.
"""
