"""The names of the stack's components."""

from local.airflow.settings import API_SERVER, DAG_PROCESSOR, SCHEDULER, TRIGGERER
from local.postgres.server import NAME

POSTGRES, KAFKA, AGENT = NAME, "kafka", "agent"
AIRFLOW = (API_SERVER, SCHEDULER, DAG_PROCESSOR, TRIGGERER)
COMPONENTS = (POSTGRES, KAFKA, AGENT, *AIRFLOW)
