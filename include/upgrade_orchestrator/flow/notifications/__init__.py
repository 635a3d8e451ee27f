"""The DAGs that send notices through Airflow notifiers; the entry point is ``dags.build_notifications``."""
