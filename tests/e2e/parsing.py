"""Makes the dag processor read the file of an upgrade's DAG now, not at its next regular turn."""

from local.airflow.settings import METADATA_DATABASE
from local.stack.stack import Stack
from upgrade_orchestrator.domain.airflow.shards import shard_file
from upgrade_orchestrator.domain.execution.execution import dag_id_of

_ASK_FOR_FILE = """
INSERT INTO dag_priority_parsing_request (id, bundle_name, relative_fileloc)
SELECT md5('dags-folder' || %(file)s), 'dags-folder', %(file)s
WHERE NOT EXISTS (SELECT 1 FROM dag_priority_parsing_request WHERE relative_fileloc = %(file)s)
"""


def has_dag(stack: Stack, execution_id: str) -> bool:
    """Whether Airflow knows the DAG. If not, request it each time: a request is dropped while the dag processor parses
    that file.
    """
    with stack.postgres().connect(METADATA_DATABASE) as connection:
        found = connection.execute("SELECT 1 FROM dag WHERE dag_id = %s", [dag_id_of(execution_id)]).fetchone()
        if found is None:
            connection.execute(_ASK_FOR_FILE, {"file": f"upgrade_executions/{shard_file(execution_id)}"})
    return found is not None
