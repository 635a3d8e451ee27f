"""The reference job, carried out by this project, by a bare Airflow DAG, and without any orchestrator."""
