"""Wiring of ports and adapters, done inside execute(), run() and Depends, never at import."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TypeVar

from upgrade_orchestrator.adapters.airflow.auth.users import user_of
from upgrade_orchestrator.adapters.airflow.connections import async_database_url, database_url
from upgrade_orchestrator.adapters.airflow.metrics import AirflowMetrics
from upgrade_orchestrator.adapters.airflow.notices import AirflowNotices
from upgrade_orchestrator.adapters.airflow.parse_requests import AirflowParseRequests, NoParseRequests
from upgrade_orchestrator.adapters.airflow.runs import AirflowRuns
from upgrade_orchestrator.adapters.airflow.tasks.human_tasks import AirflowHumanTasks
from upgrade_orchestrator.adapters.backups.storage import BackupStorage
from upgrade_orchestrator.adapters.fleet.callers import close_callers
from upgrade_orchestrator.adapters.fleet.drivers import ConnectionFleets
from upgrade_orchestrator.adapters.ids import new_id
from upgrade_orchestrator.adapters.kafka.connection import open_stream
from upgrade_orchestrator.adapters.postgres.engine.engine import dispose_engines, sync_engine
from upgrade_orchestrator.adapters.postgres.engine.leader import CONTROL_LOOPS, RELAY, PostgresLeadership
from upgrade_orchestrator.adapters.postgres.events.cursors import PostgresEventCursors
from upgrade_orchestrator.adapters.postgres.events.outbox import PostgresOutbox
from upgrade_orchestrator.adapters.postgres.events.signals import PostgresSignals
from upgrade_orchestrator.adapters.postgres.events.task_ends import PostgresTaskEnds
from upgrade_orchestrator.adapters.postgres.executions.dag_specs import DagSpec, read_dag_specs
from upgrade_orchestrator.adapters.postgres.idempotency import PostgresIdempotencyStore
from upgrade_orchestrator.adapters.postgres.unit_of_work import PostgresUnitOfWork
from upgrade_orchestrator.domain.checks.locations import OBJECT_STORES, Roots
from upgrade_orchestrator.service.control.loops import LOOPS, Loop, run_control_loops
from upgrade_orchestrator.service.events.relay import Relay
from upgrade_orchestrator.service.ports.options import Options
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.settings import Settings, option_of

T = TypeVar("T")


def ports_for(url: str, settings: Settings) -> Ports:
    """The ports, with the store in the database at ``url``."""
    roots = _backup_roots(settings.backup_roots)
    return Ports(
        work=partial(PostgresUnitOfWork, url, settings.lease_seconds),
        fleets=ConnectionFleets(),
        signals=PostgresSignals(url),
        parse_requests=_parse_requests(settings.dag_bundle, settings.dags_folder),
        runs=AirflowRuns(),
        human_tasks=AirflowHumanTasks(),
        read_object=BackupStorage(roots),
        new_id=new_id,
        options=Options(
            platform_version=settings.platform_version,
            max_backup_age_hours=settings.max_backup_age_hours,
            check_timeout_seconds=settings.check_timeout_seconds,
            backup_roots=roots,
            backup_min_mib_per_second=settings.backup_min_mib_per_second,
            lease_seconds=settings.lease_seconds,
            worker_places=settings.worker_places,
            four_eyes=settings.four_eyes,
            stream_seconds=settings.stream_seconds,
        ),
        outbox=PostgresOutbox(url),
        event_cursors=PostgresEventCursors(url),
        metrics=AirflowMetrics(),
        notices=AirflowNotices(settings.notifiers is not None),
        task_ends=PostgresTaskEnds(url),
    )


def _backup_roots(text: str | None) -> Roots:
    """:raises ValueError: the option is invalid; names it and what it accepts."""
    if text is None:
        from airflow.configuration import AIRFLOW_HOME

        return Roots((Path(AIRFLOW_HOME, "backups").absolute().as_uri(), *OBJECT_STORES))
    try:
        return Roots.parse(text)
    except ValueError as error:
        raise ValueError(f"{option_of('backup_roots')} {error}") from None


@cache
def _parse_requests(bundle: str | None, folder: str) -> AirflowParseRequests:
    """One for each process, so that the control loops do not repeat a request that a call has just made."""
    return AirflowParseRequests(bundle, folder)


async def open_ports() -> Ports:
    """The ports for a long-lived event loop (triggerer, API server); connections are kept and shared."""
    settings = Settings.read()
    return ports_for(await async_database_url(settings.db_conn_id), settings)


async def open_idempotency_store() -> PostgresIdempotencyStore:
    """The idempotency store (API server only)."""
    settings = Settings.read()
    return PostgresIdempotencyStore(await async_database_url(settings.db_conn_id), settings.lease_seconds)


async def _delete_expired_responses(_: Ports) -> None:
    await (await open_idempotency_store()).forget_old()


DELETE_EXPIRED_RESPONSES = Loop("delete-expired-keys", 600.0, _delete_expired_responses)


@asynccontextmanager
async def borrowed_ports() -> AsyncIterator[Ports]:
    """The ports for a short-lived event loop (a worker's task); connections are closed at the end."""
    try:
        yield replace(await open_ports(), parse_requests=NoParseRequests())
    finally:
        await close_ports()


async def close_ports() -> None:
    """Close the connections of the running event loop."""
    await close_callers()
    await dispose_engines()


@asynccontextmanager
async def control_loops() -> AsyncIterator[None]:
    """Run the control loops and the relay while the context is open, or wait to become leader (API server only)."""
    each = ((CONTROL_LOOPS, (*LOOPS, DELETE_EXPIRED_RESPONSES, *dag_rights_loops())), (RELAY, relay_loops()))
    runs = (run_control_loops(open_ports, partial(_open_leadership, lock), loops) for lock, loops in each)
    tasks = [asyncio.create_task(run) for run in runs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def relay_loops() -> tuple[Loop, ...]:
    """The relay's loops, which have their own leader election."""
    settings = Settings.read()
    relay = Relay(partial(open_stream, settings.kafka_conn_id, settings.kafka_topic))
    return Loop("relay", 1.0, relay.run), Loop("watch-relay", 5.0, relay.watch)


def dag_rights_loops() -> tuple[Loop, ...]:
    """The loops that give roles their rights on the DAGs of upgrades; none unless FAB is the auth manager."""
    from upgrade_orchestrator.adapters.airflow.auth.dag_rights import DagRights, has_fab  # tasks do not need it

    if not has_fab():
        return ()
    settings = Settings.read()
    rights = DagRights(settings.dag_bundle, settings.dags_folder)
    return (
        Loop("grant-dag-rights", 2.0, lambda _: rights.grant()),
        Loop("forget-dag-rights", 600.0, lambda _: rights.forget()),
    )


async def _open_leadership(lock: int) -> PostgresLeadership:
    return PostgresLeadership(await async_database_url(Settings.read().db_conn_id), lock)


def call_limits() -> tuple[float, float]:
    """The rate limit of one caller in this server process: calls per second, and calls at once."""
    settings = Settings.read()
    return settings.calls_per_second, settings.calls_at_once


authenticate = user_of
"""The user behind a request (API server only)."""


async def requested_execution(run_id: str) -> str | None:
    """The id of the execution that a run of ``upgrade_request`` creates; None: no such run (API server only)."""
    from upgrade_orchestrator.adapters.airflow.requests import requested_by  # tasks of an upgrade do not need it

    return await requested_by(run_id)


def run(use_case: Callable[[Ports], Awaitable[T]]) -> T:
    """Run a use case from code without an event loop."""

    async def within() -> T:
        async with borrowed_ports() as ports:
            return await use_case(ports)

    return asyncio.run(within())


def load_clients() -> None:
    """Import the modules that adapters and libraries would import on first use; makes no connections."""
    for module in _LOADED_LATE:
        importlib.import_module(module)
    sync_engine("postgresql+psycopg://nobody@localhost/nothing").dialect.import_dbapi()


_LOADED_LATE = (
    "airflow.dag_processing.bundles.local",
    "airflow.sdk.bases.hook",
    "airflow.sdk.definitions.connection",
    "airflow.sdk.execution_time.cache",
    "airflow.version",
    "asgiref.sync",
    "jinja2.ext",
    "multiprocessing.reduction",
    "sqlalchemy.ext.asyncio",
)


def dag_specs(shard: int, execution_id: str | None) -> list[DagSpec]:
    """The immutable columns that the dag files need; raises when the database does not respond."""
    settings = Settings.read()
    return read_dag_specs(database_url(settings.db_conn_id), settings.dag_retention_days, shard, execution_id)
