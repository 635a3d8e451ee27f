"""Many canaries that wait for somebody: what their waiting holds and costs, and whether they are polled in time."""

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
"Four polls of each canary, and one turn in which Airflow reads all DAG files again."
_FLEET_SIZE = 2
_AT_ONCE = 8
"Requests on the way at one moment."
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
    "From one poll to the next, of each poll in the window; None: the execution's first."
    completed: float
    "From the first promotion to the last COMPLETED."

    @property
    def wanted_polls(self) -> float:
        """How many there would be in the window if each took no time."""
        return self.count * self.during.seconds / POLL_SECONDS

    def gap(self, percent: int) -> float:
        """That percentile of the time between two polls."""
        known = sorted(each for each in self.gaps if each is not None)
        return known[min(len(known) * percent // 100, len(known) - 1)]

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self) | {
            "wantedPolls": self.wanted_polls,
            "gapPercentiles": {percent: self.gap(percent) for percent in (50, 95, 100)},
        }


def measure_canaries(world: World, count: int, tell: Callable[[str], None]) -> Waiting:
    """All of it, from fleets at the old version to COMPLETED; raises RuntimeError when a canary does not wait."""
    tenants = [f"canary-{number:03d}" for number in range(1, count + 1)]
    tell(f"{count} fleets of {_FLEET_SIZE}")
    world.reset(tenants, _FLEET_SIZE)
    time.sleep(_REST_SECONDS)
    tell(f"watching the stack at rest for {WINDOW_SECONDS:g} s")
    before = watch(world, WINDOW_SECONDS)
    began = time.monotonic()
    started = asyncio.run(_each(world, tenants, _start))
    tell("all are started: waiting until their canaries are watched")
    _wait_status(world, started, "CANARY_MONITORING")
    _wait_deferred(world, started)
    gathered = time.monotonic() - began
    time.sleep(_REST_SECONDS)
    tell(f"watching {count} canaries for {WINDOW_SECONDS:g} s")
    during = watch(world, WINDOW_SECONDS)
    if (found := _statuses(world, started)) != {"CANARY_MONITORING": count}:
        raise RuntimeError(f"the canaries did not go on waiting: {found}")
    gaps = [gap for (gap,) in _rows(world, UPGRADES_DATABASE, _GAPS, started, during.began, during.ended)]
    tell("promoting them")
    return Waiting(count, before, during, gathered, gaps, _promote_all(world, started))


async def _start(client: httpx.AsyncClient, tenant: str) -> str:
    created = answered(await client.post(f"/tenants/{tenant}/upgrades", json=_request()))
    answered(await client.post(f"/upgrades/{created['id']}/start"))
    return str(created["id"])


async def _promote(client: httpx.AsyncClient, execution_id: str) -> str:
    answered(await client.post(f"/upgrades/{execution_id}/promote-canary"))
    return execution_id


def _request() -> Json:
    """One canary and one other; the two never stop at once."""
    canary = {"strategy": "CANARY", "canaryPercentage": 50, "healthCheckIntervalSeconds": POLL_SECONDS}
    return upgrade_request(0) | canary | {"totalInstances": _FLEET_SIZE, "maxUnavailablePercentage": 50}


async def _each(
    world: World, names: Sequence[str], ask: Callable[[httpx.AsyncClient, str], Awaitable[str]]
) -> list[str]:
    """Ask for each, some at a time: as several users would."""
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
    """Ask the database: a hundred reads a second over HTTP would be measured too."""
    deadline = time.monotonic() + _GIVE_UP_SECONDS
    while (found := _statuses(world, started)) != {wanted: len(started)}:
        if found.keys() & {"FAILED", "CANCELLED", "ROLLING_BACK", "ROLLED_BACK"} or time.monotonic() > deadline:
            raise RuntimeError(f"the executions are not all {wanted}: {found}")
        time.sleep(_LOOK_SECONDS)


def _wait_deferred(world: World, started: list[str]) -> None:
    """Until every monitor's task is in the triggerer, where it starts."""
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
