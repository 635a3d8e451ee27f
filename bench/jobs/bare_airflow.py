"""The reference job's shape as a bare Airflow DAG (bench/dags/bare_upgrade.py) on the same stack."""

import asyncio
import time
from functools import partial

import httpx

from bench.jobs.job import COMPLETION_SECONDS, ReadTiming, Timing, epoch
from bench.stack.clients import Json, answered
from bench.stack.world import World

DAG_ID = "bench_bare_upgrade"
_POLL_SECONDS = 0.1


def wait_parsed(world: World) -> None:
    """Wait until Airflow has read the DAG file: unlike the product's, this DAG is there before the clock starts."""
    deadline = time.monotonic() + COMPLETION_SECONDS
    while world.airflow.get(f"/dags/{DAG_ID}").is_error:
        if time.monotonic() > deadline:
            raise RuntimeError(f"Airflow does not find DAG {DAG_ID}")
        time.sleep(_POLL_SECONDS)


def run_bare(world: World, runs: int, delay: int) -> ReadTiming:
    """Trigger the given number of runs at once and wait until all have ended."""
    began = time.time()
    run_end, triggered = asyncio.run(_run_all(world, runs, delay))
    return partial(_read_timing, world, began, run_end, triggered)


def _read_timing(world: World, began: float, run_end: float, triggered: dict[str, float]) -> Timing:
    first_tasks, first_batches, verified = [], [], []
    for run_id, moment in triggered.items():
        tasks = answered(world.airflow.get(f"{_RUNS}/{run_id}/taskInstances", params={"limit": 100}))["task_instances"]
        verified += [epoch(each["end_date"]) for each in tasks if each["task_id"] == "verify"]
        starts = {each["task_id"]: epoch(each["start_date"]) for each in tasks if each["start_date"]}
        first_tasks.append(min(starts.values()) - moment)
        first_batches.append(starts["batch_1"])
    first_batch = min(first_batches) - min(triggered.values())
    return Timing(max(verified) - began, run_end, max(first_tasks), first_batch, tuple(triggered))


_RUNS = f"/dags/{DAG_ID}/dagRuns"


async def _run_all(world: World, runs: int, delay: int) -> tuple[float, dict[str, float]]:
    """The time until the last run ended, and when each run's trigger was answered."""
    source = world.airflow
    async with httpx.AsyncClient(
        base_url=source.base_url, headers=source.headers, timeout=source.timeout, trust_env=False
    ) as client:
        began = time.monotonic()
        triggered = dict(await asyncio.gather(*(_trigger(client, delay) for _ in range(runs))))
        for run_id in triggered:
            await _ended(client, run_id, began + COMPLETION_SECONDS)
        return time.monotonic() - began, triggered


async def _trigger(client: httpx.AsyncClient, delay: int) -> tuple[str, float]:
    body: Json = {"logical_date": None, "conf": {"delay": delay}}
    return answered(await client.post(_RUNS, json=body))["dag_run_id"], time.time()


async def _ended(client: httpx.AsyncClient, run_id: str, deadline: float) -> None:
    while (state := answered(await client.get(f"{_RUNS}/{run_id}"))["state"]) not in ("success", "failed"):
        if time.monotonic() > deadline:
            raise RuntimeError(f"run {run_id} of {DAG_ID} is still {state}")
        await asyncio.sleep(_POLL_SECONDS)
    if state == "failed":
        raise RuntimeError(f"run {run_id} of {DAG_ID} has failed")
