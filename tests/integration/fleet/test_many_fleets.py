"""20 fleets of 20, all upgraded at once: every process really replaced. What it costs is printed, not asserted."""

import asyncio
import time
from pathlib import Path

import httpx
import psutil

from tests.integration.fleet.running_agent import TOKEN, RunningAgent

FLEETS, SIZE = 20, 20


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
    async with httpx.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=60, trust_env=False) as client:
        work = [_upgrade(client, fleet, each) for fleet, instances in names.items() for each in instances]
        await asyncio.gather(*work)


def _cpu(agent: RunningAgent) -> tuple[float, float]:
    """CPU seconds of the agent and of the zygote with every instance, ended ones included."""
    own = psutil.Process(agent.process.pid)
    [zygote] = own.children()
    helper, living = zygote.cpu_times(), [each.cpu_times() for each in zygote.children()]
    forks = helper.user + helper.system + helper.children_user + helper.children_system
    times = own.cpu_times()
    return times.user + times.system, forks + sum(each.user + each.system for each in living)


def _pss_kib(agent: RunningAgent) -> float:
    """Memory of an instance (proportional set size); 0 where the system does not tell it (macOS)."""
    sizes = [getattr(psutil.Process(pid).memory_full_info(), "pss", 0) for pid in agent.pids()]
    return float(sum(sizes)) / len(sizes) / 1024


def test_twenty_fleets_of_twenty_are_upgraded_at_once(tmp_path: Path) -> None:
    agent = RunningAgent(tmp_path / "state")
    try:
        began = time.monotonic()
        created = [agent.admin.create(f"f{number}", SIZE, "3.5.0") for number in range(1, FLEETS + 1)]
        creation = (time.monotonic() - began) / FLEETS
        names = {body["fleet"]: [each["id"] for each in body["instances"]] for body in created}
        old = {each["pid"] for body in created for each in body["instances"]}
        began, before = time.monotonic(), _cpu(agent)
        asyncio.run(_upgrade_all(agent.url, names))
        took, after = time.monotonic() - began, _cpu(agent)
        fleets = agent.admin.fleets()
        instances = [each for body in fleets for each in body["instances"]]
        assert {(each["version"], each["status"], each["healthy"]) for each in instances} == {
            ("3.6.0", "RUNNING", True)
        }
        assert len({each["pid"] for each in instances} - old) == FLEETS * SIZE
        for fleet in names:
            assert sum(line["to"] == "UPGRADING" for line in agent.admin.transitions(fleet)) == SIZE
        began = time.monotonic()
        for fleet in names:
            agent.admin.http.get(f"/fleets/{fleet}").raise_for_status()
        listing = (time.monotonic() - began) / FLEETS
        count = FLEETS * SIZE
        print(
            f"\ncreate a fleet of {SIZE}: {creation * 1000:.0f} ms; {count} upgrades in {took:.1f} s; GET fleet ",
            end="",
        )
        print(
            f"{listing * 1000:.1f} ms; CPU an upgrade: agent {(after[0] - before[0]) / count * 1000:.1f} ms, ", end=""
        )
        print(f"processes {(after[1] - before[1]) / count * 1000:.1f} ms; PSS an instance: {_pss_kib(agent):.0f} KiB")
    finally:
        agent.close()
