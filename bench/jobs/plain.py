"""The reference job without any orchestrator: asyncio and httpx straight against the agent. No record, no recovery."""

import asyncio
import time
import uuid

import httpx

from bench.jobs.job import BATCH_SIZE, NEW_VERSION, ReadTiming, Timing
from bench.stack.clients import TIMEOUT_SECONDS, Json, agent_url, answered
from bench.stack.world import World

_POLL_SECONDS = 0.05
_FENCE = {"X-Fencing-Token": "1"}
_WELL: Json = {"healthy": True, "version": NEW_VERSION}


def run_plain(world: World, fleets: list[str], delay: int) -> ReadTiming:
    """Upgrade the fleets side by side, in this process."""
    began = time.monotonic()
    drained = asyncio.run(_upgrade_all(world, fleets, delay))
    timing = Timing(time.monotonic() - began, None, None, drained - began)
    return lambda: timing


async def _upgrade_all(world: World, fleets: list[str], delay: int) -> float:
    headers = {"Authorization": f"Bearer {world.stack.credentials().agent_token}"}
    async with httpx.AsyncClient(
        base_url=agent_url(world.stack), headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False
    ) as client:
        return min(await asyncio.gather(*(_upgrade_fleet(client, fleet, delay) for fleet in fleets)))


async def _upgrade_fleet(client: httpx.AsyncClient, fleet: str, delay: int) -> float:
    """Upgrade one fleet and return when its first drain was asked for."""
    ids = [each["id"] for each in answered(await client.get(f"/fleets/{fleet}"))["instances"]]
    first = time.monotonic()
    for begin in range(0, len(ids), BATCH_SIZE):
        if begin:
            await asyncio.sleep(delay)
        batch = (f"/fleets/{fleet}/instances/{each}" for each in ids[begin : begin + BATCH_SIZE])
        await asyncio.gather(*(_upgrade_instance(client, path) for path in batch))
    return first


async def _upgrade_instance(client: httpx.AsyncClient, path: str) -> None:
    answered(await client.post(f"{path}/drain", headers=_headers()))
    while answered(await client.get(path))["status"] != "DRAINED":  # noqa: ASYNC110  (the agent sends no notice)
        await asyncio.sleep(_POLL_SECONDS)
    answered(await client.put(f"{path}/version", headers=_headers(), json={"version": NEW_VERSION}))
    while (await client.get(f"{path}/health")).json() != _WELL:  # noqa: ASYNC110
        await asyncio.sleep(_POLL_SECONDS)


def _headers() -> dict[str, str]:
    return _FENCE | {"Idempotency-Key": str(uuid.uuid4())}
