"""Executions that have ended, each with its status and after a given number of seconds."""

import httpx

from tests.integration.world import TENANT, World

UPGRADES = f"/tenants/{TENANT}/upgrades"


async def ended(api: httpx.AsyncClient, world: World, status: str, seconds: int, strategy: str = "ROLLING") -> None:
    """An execution with that ending and duration."""
    made = (await api.post(UPGRADES, json=world.request(strategy=strategy))).json()["id"]
    world.connection.execute(
        "UPDATE execution SET status = %s, settled_at = now(), started_at = created_at,"
        " completed_at = created_at + make_interval(secs => %s), paused_seconds = 2 WHERE id = %s",
        (status, seconds, made),
    )
