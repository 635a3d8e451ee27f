"""A thousand other executions that run but have nothing to do: what their presence costs a new one.

They are copies of a real execution, written into the database: IN_PROGRESS, their first batch done, waiting for the
second. Airflow has read all their DAGs from the product's own files, and reads them again at every turn; the DAGs are
paused, so no run of theirs is scheduled and no trigger waits for them. Where the control loops run beside them they are
PAUSED, as the loops would have it, and have a DAG run each, for the loops to look at.
"""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.jobs.job import INSTANCES
from bench.stack.clients import answered
from bench.stack.world import COMPONENT, World, upgrade_request
from local.airflow.settings import METADATA_DATABASE, UPGRADES_DATABASE
from upgrade_orchestrator.adapters.postgres.engine.leader import CONTROL_LOOPS
from upgrade_orchestrator.domain.airflow.shards import shard_key
from upgrade_orchestrator.domain.execution.execution import dag_id_of
from upgrade_orchestrator.service.control.loops import LEADER_POLL_SECONDS

HOW_THEY_REST = "PAUSED after their first batch, their DAGs parsed and paused in Airflow, a DAG run each, no triggers"
_PARSED_SECONDS = 900.0
_POLL_SECONDS = 1.0
_REPORT_EACH = 250

_DAGS = """
INSERT INTO dag (dag_id, is_paused, is_stale, bundle_name, timetable_type, partition_mapper_info, max_active_tasks,
                 max_active_runs, max_consecutive_failed_dag_runs, has_task_concurrency_limits)
SELECT id, true, false, 'dags-folder', '', '[]', 16, 1, 0, false FROM unnest(%(dags)s::text[]) AS id
"""
_RUNS = """
INSERT INTO dag_run (dag_id, run_id, run_type, state, logical_date, run_after, queued_at, start_date)
SELECT id, 'scheduled__2024-01-01T00:00:00+00:00', 'scheduled', 'running', '2024-01-01Z', '2024-01-01Z', now(), now()
FROM unnest(%(dags)s::text[]) AS id RETURNING dag_id, id::text
"""
_PAUSE = """
UPDATE execution SET status = 'PAUSED', status_reason = 'the DAG was paused in Airflow', paused_from = 'IN_PROGRESS',
                     paused_at = clock_timestamp(), dag_paused = true, run_ref = %s
WHERE id = %s
"""
_END_LEADER = """
SELECT pg_terminate_backend(pid) FROM pg_locks
WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32 | objid::bigint) = %s AND pid <> pg_backend_pid()
"""
_MEMBERS = (
    "(SELECT * FROM unnest(%(ids)s::text[], %(tenants)s::text[], %(shards)s::bigint[]) AS m(id, tenant, shard)) m"
)
# the rows of one execution lie side by side in the table, as after planning it
_COPIES = (
    f"""INSERT INTO deployment SELECT (jsonb_populate_record(d, jsonb_build_object('tenant_id', m.tenant))).*
        FROM deployment d, {_MEMBERS} WHERE d.tenant_id = %(template)s AND d.component_id = %(component)s""",
    f"""INSERT INTO execution SELECT (jsonb_populate_record(e, jsonb_build_object('id', m.id, 'tenant_id', m.tenant,
        'shard_key', m.shard, 'status', 'IN_PROGRESS', 'started_at', clock_timestamp()))).*
        FROM execution e, {_MEMBERS} WHERE e.id = %(execution)s""",
    f"""INSERT INTO batch SELECT (jsonb_populate_record(b, jsonb_build_object('execution_id', m.id,
        'completed_at', CASE WHEN b.number = 1 THEN clock_timestamp() END,
        'due_at', CASE WHEN b.number = 2 THEN clock_timestamp() + interval '1 day' END))).*
        FROM batch b, {_MEMBERS} WHERE b.execution_id = %(execution)s ORDER BY m.id""",
    f"""INSERT INTO instance SELECT (jsonb_populate_record(i, jsonb_build_object('execution_id', m.id,
        'status', CASE WHEN i.batch = 1 THEN 'COMPLETED' ELSE 'PENDING' END))).*
        FROM instance i, {_MEMBERS} WHERE i.execution_id = %(execution)s ORDER BY m.id""",
)


@dataclass(frozen=True)
class Crowd:
    """The executions of the crowd."""

    ids: list[str]

    def resting(self, world: World) -> dict[str, int]:
        """How many of them are in which status now."""
        query = "SELECT status, count(*) FROM execution WHERE id = ANY(%s) GROUP BY status"
        with world.stack.postgres().connect(UPGRADES_DATABASE) as connection:
            return {str(status): int(str(count)) for status, count in connection.execute(query, [self.ids])}


@contextmanager
def control_loops_stopped(world: World) -> Iterator[None]:
    """While the block runs, no process runs the control loops: the reconciler would end executions that have no DAG
    runs.
    """
    with world.stack.postgres().connect(UPGRADES_DATABASE) as connection:
        while connection.execute("SELECT pg_try_advisory_lock(%s)", [CONTROL_LOOPS]).fetchone() != (True,):
            connection.execute(_END_LEADER, [CONTROL_LOOPS])
        time.sleep(2 * LEADER_POLL_SECONDS)  # until the leader has noticed
        yield


def gather(
    world: World, size: int, progress: Callable[[str], None], instances: int = INSTANCES, name: str = "crowd"
) -> Crowd:
    """Write the crowd into the database and wait until Airflow has read all its DAGs; ``name`` begins its tenants'
    names.
    """
    crowd = Crowd([str(uuid.uuid4()) for _ in range(size)])
    template = f"bench-{name}"
    world.reset([template], instances)
    request = upgrade_request(60) | {"totalInstances": instances}
    execution = answered(world.registry.post(f"/tenants/{template}/upgrades", json=request))["id"]
    dags = [dag_id_of(each) for each in crowd.ids]
    with world.stack.postgres().connect(METADATA_DATABASE) as connection:
        connection.execute(_DAGS, {"dags": dags})
    _copy(world, crowd, name, execution)
    _wait_parsed(world, dags, progress)
    return crowd


def gather_paused(world: World, size: int, progress: Callable[[str], None]) -> Crowd:
    """Like `gather`, but a crowd that the control loops find in order and leave as it is."""
    with control_loops_stopped(world):
        crowd = gather(world, size, progress)
        of_dag = {dag_id_of(each): each for each in crowd.ids}
        with world.stack.postgres().connect(METADATA_DATABASE) as connection:
            runs = connection.execute(_RUNS, {"dags": list(of_dag)}).fetchall()
        with world.stack.postgres().connect(UPGRADES_DATABASE) as connection, connection.cursor() as cursor:
            cursor.executemany(_PAUSE, [(run, of_dag[str(dag)]) for dag, run in runs])
    return crowd


def _copy(world: World, crowd: Crowd, name: str, execution: str) -> None:
    values = {
        "ids": crowd.ids,
        "tenants": [f"{name}-{number:05d}" for number in range(len(crowd.ids))],
        "shards": [shard_key(each) for each in crowd.ids],
        "template": f"bench-{name}",
        "component": COMPONENT,
        "execution": execution,
    }
    with world.stack.postgres().connect(UPGRADES_DATABASE) as connection, connection.transaction():
        for statement in _COPIES:
            connection.execute(statement, values)


def _wait_parsed(world: World, dags: list[str], progress: Callable[[str], None]) -> None:
    deadline, reported = time.monotonic() + _PARSED_SECONDS, 0
    query = "SELECT count(DISTINCT dag_id) FROM serialized_dag WHERE dag_id = ANY(%s)"
    with world.stack.postgres().connect(METADATA_DATABASE) as connection:
        while (parsed := _count(connection.execute(query, [dags]).fetchone())) < len(dags):
            if time.monotonic() > deadline:
                raise RuntimeError(f"Airflow has read {parsed} of {len(dags)} DAGs in {_PARSED_SECONDS:g} s")
            if parsed >= reported + _REPORT_EACH:
                reported = parsed
                progress(f"Airflow has read {parsed} of {len(dags)} DAGs")
            time.sleep(_POLL_SECONDS)


def _count(row: tuple[object, ...] | None) -> int:
    return int(str(row[0])) if row else 0
