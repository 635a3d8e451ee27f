"""The hash by which Airflow distinguishes versions of a DAG."""

from typing import Any

from airflow.models.serialized_dag import SerializedDagModel
from airflow.serialization.serialized_objects import LazyDeserializedDAG

from upgrade_orchestrator.adapters.postgres.executions.dag_specs import DagSpec
from upgrade_orchestrator.flow.request.dag import build_upgrade_request
from upgrade_orchestrator.flow.upgrade.factory import build_dag

SPEC = DagSpec("e-1", "t-1", "aaa-111", "ROLLING", "3.6.0", "3.7.0", ((1, "BATCH"), (2, "BATCH")))


def hash_of(dag: Any) -> str:
    """The hash; Airflow makes a new version when it changes."""
    found: str = SerializedDagModel.hash(LazyDeserializedDAG.from_dag(dag).data)
    return found


def all_hashes() -> list[str]:
    """Of an upgrade's DAG and of the DAG that requests upgrades."""
    return [hash_of(build_dag(SPEC)), hash_of(build_upgrade_request())]
