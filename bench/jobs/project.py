"""The reference job with this project over REST: POST create, POST start, GET until COMPLETED."""

import asyncio
import time
from functools import partial

import httpx

from bench.jobs.breakdown import read_breakdown
from bench.jobs.job import COMPLETION_SECONDS, ReadTiming, Timing, epoch
from bench.stack.clients import Json, answered
from bench.stack.world import World, upgrade_request

_POLL_SECONDS = 0.5
_ENDED = {"COMPLETED", "FAILED", "CANCELLED", "ROLLED_BACK"}


def run_project(world: World, tenants: list[str], delay: int) -> ReadTiming:
    """Run one upgrade for each tenant, all started at once; return when every DAG run has ended too."""
    began = time.time()
    wall, started = asyncio.run(_upgrade_all(world, tenants, delay))
    for each in started:
        _wait_for_run(world, each)
    return partial(_read_timing, world, tenants, began, wall, started)


def _read_timing(world: World, tenants: list[str], began: float, wall: float, started: dict[str, float]) -> Timing:
    breakdowns = [read_breakdown(world.registry, world.airflow, each) for each in started]
    first_tasks = []
    for found in breakdowns:
        began_at = epoch(found.execution["startedAt"])
        first = min(each.running for each in found.tasks if each.ran and each.running is not None)
        first_tasks.append(began_at + first - started[found.execution["id"]])
    ends = [epoch(found.dag_run["end_date"]) for found in breakdowns]
    drains = [_first_drain(world, tenant, began) for tenant in tenants]
    return Timing(wall, max(ends) - began, max(first_tasks), min(drains) - min(started.values()), tuple(started))


async def _upgrade_all(world: World, tenants: list[str], delay: int) -> tuple[float, dict[str, float]]:
    """The wall time, and when each execution's start was answered."""
    source = world.registry
    async with httpx.AsyncClient(
        base_url=source.base_url, headers=source.headers, timeout=source.timeout, trust_env=False
    ) as client:
        began, deadline = time.time(), time.monotonic() + COMPLETION_SECONDS
        started = dict(await asyncio.gather(*(_start(client, each, upgrade_request(delay)) for each in tenants)))
        ends = [await _completed(client, execution_id, deadline) for execution_id in started]
        return max(ends) - began, started


async def _start(client: httpx.AsyncClient, tenant: str, body: Json) -> tuple[str, float]:
    created = answered(await client.post(f"/tenants/{tenant}/upgrades", json=body))
    answered(await client.post(f"/upgrades/{created['id']}/start"))
    return created["id"], time.time()


async def _completed(client: httpx.AsyncClient, execution_id: str, deadline: float) -> float:
    """When it was COMPLETED, by its own `completedAt`: polled seldom and one at a time, since polling would be measured
    too.
    """
    while (found := answered(await client.get(f"/upgrades/{execution_id}")))["status"] not in _ENDED:
        if time.monotonic() > deadline:
            raise RuntimeError(f"upgrade {execution_id} is still {found['status']} after {COMPLETION_SECONDS:g} s")
        await asyncio.sleep(_POLL_SECONDS)
    if found["status"] != "COMPLETED":
        raise RuntimeError(f"upgrade {execution_id} is {found['status']}: {found['statusReason']}")
    return epoch(found["completedAt"])


def _wait_for_run(world: World, execution_id: str) -> None:
    """Wait for the end of the DAG run: it comes a little after COMPLETED, and its work counts."""
    deadline = time.monotonic() + COMPLETION_SECONDS
    dag_id = answered(world.registry.get(f"/upgrades/{execution_id}"))["dagId"]
    while not any(run["end_date"] for run in answered(world.airflow.get(f"/dags/{dag_id}/dagRuns"))["dag_runs"]):
        if time.monotonic() > deadline:
            raise RuntimeError(f"the run of DAG {dag_id} does not end")
        time.sleep(_POLL_SECONDS)


def _first_drain(world: World, fleet: str, since: float) -> float:
    """When the fleet's first instance began to drain, in seconds of the epoch."""
    moments = (epoch(line["time"]) for line in world.fleets.transitions(fleet) if line["to"] == "DRAINING")
    return min(each for each in moments if each >= since)
