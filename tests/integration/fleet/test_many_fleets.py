"""Several fleets, all upgraded at once: every process is really replaced, once each."""

import asyncio
from pathlib import Path

import httpx

from tests.integration.fleet.running_agent import TOKEN, RunningAgent

FLEETS, SIZE = 5, 20


async def _upgrade(client: httpx.AsyncClient, fleet: str, instance: str) -> None:
    path = f"/fleets/{fleet}/instances/{instance}"
    fence = {"X-Fencing-Token": "1"}
    for step, (method, call, body, wanted) in enumerate(
        [("POST", "drain", None, "DRAINED"), ("PUT", "version", {"version": "3.6.0"}, "RUNNING")]
    ):
        headers = {**fence, "Idempotency-Key": f"{instance}-{step}"}
        (await client.request(method, f"{path}/{call}", json=body, headers=headers)).raise_for_status()
        while (await client.get(path)).raise_for_status().json()["status"] != wanted:  # noqa: ASYNC110 - over HTTP
            await asyncio.sleep(0.25)


async def _upgrade_all(url: str, names: dict[str, list[str]]) -> None:
    limits = httpx.Limits(max_connections=50)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=None, trust_env=False) as client:
        work = [_upgrade(client, fleet, each) for fleet, instances in names.items() for each in instances]
        await asyncio.gather(*work)


def test_fleets_upgraded_concurrently_have_every_process_replaced_once(tmp_path: Path) -> None:
    agent = RunningAgent(tmp_path / "state")
    try:
        created = [agent.admin.create(f"f{number}", SIZE, "3.5.0", upgrade_seconds=0.1) for number in range(FLEETS)]
        names = {body["fleet"]: [each["id"] for each in body["instances"]] for body in created}
        old = {each["pid"] for body in created for each in body["instances"]}
        asyncio.run(_upgrade_all(agent.url, names))
        instances = [each for body in agent.admin.fleets() for each in body["instances"]]
        states = {(each["version"], each["status"], each["healthy"]) for each in instances}
        assert states == {("3.6.0", "RUNNING", True)}
        assert len({each["pid"] for each in instances} - old) == FLEETS * SIZE
        for fleet in names:
            assert sum(line["to"] == "UPGRADING" for line in agent.admin.transitions(fleet)) == SIZE
    finally:
        agent.close()
