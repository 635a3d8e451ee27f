"""Airflow's side of an upgrade: the DAG factory, its operators, sensors and triggers."""
