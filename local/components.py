"""The names of the stack's components."""

from local import airflow, postgres

POSTGRES, KAFKA, AGENT = postgres.NAME, "kafka", "agent"
AIRFLOW = (airflow.API_SERVER, airflow.SCHEDULER, airflow.DAG_PROCESSOR, airflow.TRIGGERER)
COMPONENTS = (POSTGRES, KAFKA, AGENT, *AIRFLOW)
