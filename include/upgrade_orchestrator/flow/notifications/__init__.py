"""The DAGs that send notices through Airflow notifiers; the front door is ``dags.build_notifications``."""
