"""Airflow in the local stack: its settings, its set-up, `airflow_settings.yaml`, and asking whether it is well."""
