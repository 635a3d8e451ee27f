"""Dry runs look at storages that may hang: no other call waits for them."""

import asyncio
import os
from pathlib import Path

import httpx
import pytest

from tests.integration.world import TENANT, World
from upgrade_orchestrator.adapters.backups import storage

UPGRADES = f"/tenants/{TENANT}/upgrades"


# fault 33
@pytest.mark.parametrize("hangs", ["fifo", "storage"])
async def test_dry_runs_that_wait_for_a_storage_leave_other_calls_alone(
    api: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, hangs: str
) -> None:
    if hangs == "storage":
        (tmp_path / "hangs.py").write_text("import time; time.sleep(600)")
        monkeypatch.setattr(storage, "_SCRIPT", str(tmp_path / "hangs.py"))
    os.mkfifo(tmp_path / "fifo")
    with world.connect() as connection:
        connection.execute("UPDATE backup SET location = %s", ((tmp_path / "fifo").as_uri(),))
    params = {"dryRun": "true"}
    calls = (api.post(UPGRADES, params=params, json=world.request()) for _ in range(6))
    previews: list[asyncio.Task[httpx.Response]] = [asyncio.create_task(each) for each in calls]
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        assert (await api.get(UPGRADES)).status_code == 200
        assert await asyncio.to_thread(lambda: "answered") == "answered"
    if hangs == "fifo":
        for each in await asyncio.gather(*previews):
            assert "it is not a regular file" in each.text
    for preview in previews:
        preview.cancel()
    await asyncio.gather(*previews, return_exceptions=True)
