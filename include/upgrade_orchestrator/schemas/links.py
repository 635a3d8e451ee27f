"""The links of an execution in the API and in Airflow's UI (specification section 6, ``links``)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Links:
    """Paths from the server's root, including Airflow's base path."""

    root: str
    airflow_root: str

    def execution(self, execution_id: str) -> str:
        """The execution itself."""
        return f"{self.root}/upgrades/{execution_id}"

    def events(self, execution_id: str) -> str:
        """Its event log."""
        return f"{self.root}/upgrades/{execution_id}/events"

    def dag(self, dag_id: str) -> str:
        """Its DAG in the Airflow UI."""
        return f"{self.airflow_root}/dags/{dag_id}"

    def dag_run(self, dag_id: str) -> str:
        """The list of the DAG's runs in the Airflow UI: an execution has one."""
        return f"{self.airflow_root}/dags/{dag_id}/runs"
