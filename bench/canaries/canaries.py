"""Many canaries that wait for their promotion: what their waiting holds and costs, and whether polls are in time."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import httpx

from bench.stack.clients import Json, answered
from bench.stack.watching import Window, watch
from bench.stack.world import World, upgrade_request
from local.airflow.settings import METADATA_DATABASE, UPGRADES_DATABASE
from upgrade_orchestrator.domain.execution.execution import dag_id_of

POLL_SECONDS = 30
"The default of healthCheckIntervalSeconds."
WINDOW_SECONDS = 120.0
"Long enough for four polls of each canary and for one turn in which Airflow reads all DAG files again."
_FLEET_SIZE = 2
_AT_ONCE = 8
"How many requests are made at the same time."
_GIVE_UP_SECONDS = 1800.0
_LOOK_SECONDS = 1.0
_REST_SECONDS = 10.0

_STATUSES = "SELECT status, count(*) FROM execution WHERE id = ANY(%s) GROUP BY status"
_DEFERRED = """
SELECT count(*) FROM task_instance WHERE dag_id = ANY(%s) AND task_id = 'canary.monitor' AND state = 'deferred'
"""
_GAPS = """
SELECT gap FROM (
    SELECT time, extract(epoch FROM time - lag(time) OVER (PARTITION BY execution_id ORDER BY sequence))::float AS gap
    FROM event WHERE execution_id = ANY(%s) AND what = 'canary-polled') polls
WHERE time BETWEEN to_timestamp(%s) AND to_timestamp(%s)
"""
_COMPLETED = "SELECT max(extract(epoch FROM completed_at))::float FROM execution WHERE id = ANY(%s)"


@dataclass(frozen=True)
class Waiting:
    """What was measured; all times in seconds."""

    count: int
    before: Window
    during: Window
    gathered: float
    "From the first request until all canaries were deployed and their monitors deferred."
    gaps: list[float | None]
    "Seconds from each poll in the window to the poll before it; None for an execution's first poll."
    completed: float
    "From the first promotion to the last COMPLETED."

    @property
    def wanted_polls(self) -> float:
        """How many polls there would be in the window if a poll took no time."""
        return self.count * self.during.seconds / POLL_SECONDS

    def gap(self, percent: int) -> float:
        """The given percentile of the time between two polls."""
        known = sorted(each for each in self.gaps if each is not None)
        return known[min(len(known) * percent // 100, len(known) - 1)]

    def dump(self) -> dict[str, Any]:
        """The measurement as JSON."""
        return asdict(self) | {
            "wantedPolls": self.wanted_polls,
            "gapPercentiles": {percent: self.gap(percent) for percent in (50, 95, 100)},
        }


def measure_canaries(world: World, count: int, progress: Callable[[str], None]) -> Waiting:
    """Run the whole measurement, from fleets at the old version to COMPLETED.

    :raises RuntimeError: a canary does not wait.
    """
    tenants = [f"canary-{number:03d}" for number in range(1, count + 1)]
    progress(f"{count} fleets of {_FLEET_SIZE}")
    world.reset(tenants, _FLEET_SIZE)
    time.sleep(_REST_SECONDS)
    progress(f"watching the stack at rest for {WINDOW_SECONDS:g} s")
    before = watch(world, WINDOW_SECONDS)
    began = time.monotonic()
    started = asyncio.run(_each(world, tenants, _start))
    progress("all are started: waiting until their canaries are watched")
    _wait_status(world, started, "CANARY_MONITORING")
    _wait_deferred(world, started)
    gathered = time.monotonic() - began
    time.sleep(_REST_SECONDS)
    progress(f"watching {count} canaries for {WINDOW_SECONDS:g} s")
    during = watch(world, WINDOW_SECONDS)
    if (found := _statuses(world, started)) != {"CANARY_MONITORING": count}:
        raise RuntimeError(f"the canaries did not go on waiting: {found}")
    gaps = [gap for (gap,) in _rows(world, UPGRADES_DATABASE, _GAPS, started, during.began, during.ended)]
    progress("promoting them")
    return Waiting(count, before, during, gathered, gaps, _promote_all(world, started))


async def _start(client: httpx.AsyncClient, tenant: str) -> str:
    created = answered(await client.post(f"/tenants/{tenant}/upgrades", json=_request()))
    answered(await client.post(f"/upgrades/{created['id']}/start"))
    return str(created["id"])


async def _promote(client: httpx.AsyncClient, execution_id: str) -> str:
    answered(await client.post(f"/upgrades/{execution_id}/promote-canary"))
    return execution_id


def _request() -> Json:
    """A fleet of two: one canary and one other instance, which never stop at the same time."""
    canary = {"strategy": "CANARY", "canaryPercentage": 50, "healthCheckIntervalSeconds": POLL_SECONDS}
    return upgrade_request(0) | canary | {"totalInstances": _FLEET_SIZE, "maxUnavailablePercentage": 50}


async def _each(
    world: World, names: Sequence[str], ask: Callable[[httpx.AsyncClient, str], Awaitable[str]]
) -> list[str]:
    """Ask for each, several at the same time, as several users would."""
    source, gate = world.registry, asyncio.Semaphore(_AT_ONCE)

    async def one(client: httpx.AsyncClient, name: str) -> str:
        async with gate:
            return await ask(client, name)

    async with httpx.AsyncClient(
        base_url=source.base_url, headers=source.headers, timeout=source.timeout, trust_env=False
    ) as client:
        return list(await asyncio.gather(*(one(client, name) for name in names)))


def _promote_all(world: World, started: list[str]) -> float:
    began = time.time()
    asyncio.run(_each(world, started, _promote))
    _wait_status(world, started, "COMPLETED")
    ((completed,),) = _rows(world, UPGRADES_DATABASE, _COMPLETED, started)
    return float(completed) - began


def _wait_status(world: World, started: list[str], wanted: str) -> None:
    """Ask the database: a hundred reads a second over HTTP would themselves be measured."""
    deadline = time.monotonic() + _GIVE_UP_SECONDS
    while (found := _statuses(world, started)) != {wanted: len(started)}:
        if found.keys() & {"FAILED", "CANCELLED", "ROLLING_BACK", "ROLLED_BACK"} or time.monotonic() > deadline:
            raise RuntimeError(f"the executions are not all {wanted}: {found}")
        time.sleep(_LOOK_SECONDS)


def _wait_deferred(world: World, started: list[str]) -> None:
    """Wait until every monitor's task is deferred to the triggerer, where it starts."""
    deadline, dags = time.monotonic() + _GIVE_UP_SECONDS, [dag_id_of(each) for each in started]
    while (found := int(_rows(world, METADATA_DATABASE, _DEFERRED, dags)[0][0])) < len(started):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{found} of {len(started)} monitors are deferred")
        time.sleep(_LOOK_SECONDS)


def _statuses(world: World, started: list[str]) -> dict[str, int]:
    return {str(status): int(count) for status, count in _rows(world, UPGRADES_DATABASE, _STATUSES, started)}


def _rows(world: World, database: str, query: str, *values: object) -> list[tuple[Any, ...]]:
    with world.stack.postgres().connect(database) as connection:
        return connection.execute(query, values).fetchall()
