"""The reference job, carried out by this project, by a bare Airflow DAG, and without any orchestrator.

Each `run_…` function takes the stack (`World`) and returns a function that reads the moments of the run (`Timing`).
"""
