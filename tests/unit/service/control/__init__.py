"""The control loops: Airflow's tasks and runs, and what they mean for the executions."""
