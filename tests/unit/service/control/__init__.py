"""The control loops: Airflow's tasks and runs, and their effects on executions."""
