"""The pages of the status view: rendered here, shown in Airflow's UI (docs/status-view.md)."""
