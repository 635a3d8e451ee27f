"""The in-memory fleet of the tests gives the same answers as the real one, through the product's driver."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from local.fleet.settings import Settings
from local.fleet.state.journal import utc_now
from tests.integration.fleet.running_agent import TOKEN, RunningAgent
from tests.labs.fleet.agent import AgentInMemory
from tests.labs.fleet.wire import Wire
from tests.labs.world import Admin
from upgrade_orchestrator.adapters.airflow.connections import FleetAddress
from upgrade_orchestrator.adapters.fleet.agent import AgentDriver
from upgrade_orchestrator.adapters.fleet.client import AgentClient
from upgrade_orchestrator.service.ports.fleet import FleetError

NAME, OLD, NEW = "twin", "3.5.0", "3.6.0"
SETTINGS: dict[str, Any] = {"size": 3, "version": OLD, "upgrade_seconds": 0.05, "drain_seconds": 0.05}


@dataclass
class Twin:
    """One of the two fleets, and what it has answered."""

    driver: AgentDriver
    admin: Admin
    answers: list[object]

    async def ask(self, call: Callable[..., Awaitable[Any]], *given: Any) -> None:
        """Record the answer, or the refusal with its text."""
        try:
            self.answers.append(await call(*given))
        except FleetError as error:
            self.answers.append((type(error), str(error)))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds in the fleet."""
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(0.01)

    def statuses(self) -> list[str]:
        """The statuses of all instances, in the fleet's order."""
        return [each["status"] for each in self.admin.fleet(NAME)["instances"]]

    def pool_orders(self) -> list[tuple[object, ...]]:
        """The fleet's log without the lines whose order varies: when a process ended, when it was asked."""
        lines = [each for each in self.admin.log(NAME) if each["kind"] not in ("created", "health")]
        fields = ("kind", "instance", "from", "to", "version", "pool", "size", "key", "fence", "status", "unavailable")
        return sorted((tuple(str(each.get(name)) for name in fields) for each in lines), key=str)


@pytest.fixture
async def twins(agent: RunningAgent) -> AsyncIterator[list[Twin]]:
    agent.admin.create(NAME, **SETTINGS)
    memory = AgentInMemory(utc_now)
    await memory.agent.create(NAME, Settings(**SETTINGS))
    client = AgentClient(FleetAddress(agent.url, TOKEN, True))
    real = AgentDriver(client, NAME)
    simulated = AgentDriver(Wire(memory.agent), NAME)
    yield [Twin(real, agent.admin, []), Twin(simulated, memory.admin, [])]
    await memory.agent.close()
    await client.close()
    agent.admin.delete(NAME)


async def _assert_same_answers(twins: list[Twin], scene: Callable[[Twin], Awaitable[None]]) -> None:
    for twin in twins:
        await scene(twin)
        await twin.ask(twin.driver.fleet)
    real, simulated = twins
    assert simulated.answers == real.answers
    assert simulated.pool_orders() == real.pool_orders()


async def test_in_memory_agent_replaces_an_instance_like_the_real_agent(twins: list[Twin]) -> None:
    async def scene(twin: Twin) -> None:
        driver = twin.driver
        await twin.ask(driver.set_version, "twin-01", NEW, 1, "too early")
        await twin.ask(driver.drain, "twin-01", 1, "drain")
        await twin.until(lambda: "DRAINED" in twin.statuses())
        await twin.ask(driver.health, "twin-01")
        await twin.ask(driver.set_version, "twin-01", NEW, 2, "version")
        await twin.ask(driver.set_version, "twin-01", NEW, 2, "version")
        await twin.until(lambda: twin.statuses() == ["RUNNING"] * 3)
        await twin.ask(driver.drain, "twin-02", 1, "from the past")
        await twin.ask(driver.drain, "twin-02", 2, "version")
        await twin.ask(driver.undrain, "twin-02", 2, "undrain")
        await twin.ask(driver.drain, "twin-09", 2, "nobody")

    await _assert_same_answers(twins, scene)


async def test_in_memory_agent_makes_and_removes_pools_like_the_real_agent(twins: list[Twin]) -> None:
    async def scene(twin: Twin) -> None:
        driver = twin.driver
        await twin.ask(driver.make_pool, "green", NEW, 9, 1, "too large")
        await twin.ask(driver.make_pool, "green", NEW, 2, 1, "make")
        await twin.until(lambda: twin.statuses() == ["RUNNING"] * 5)
        await twin.ask(driver.remove_pool, "blue", 1, "has the traffic")
        await twin.ask(driver.switch_traffic, "red", 1, "no such pool")
        await twin.ask(driver.switch_traffic, "green", 1, "switch")
        await twin.ask(driver.remove_pool, "blue", 1, "remove")

    await _assert_same_answers(twins, scene)


async def test_in_memory_agent_shows_faults_and_killed_instances_like_the_real_agent(twins: list[Twin]) -> None:
    async def scene(twin: Twin) -> None:
        twin.admin.fault(NAME, "unhealthy", "twin-01")
        await twin.ask(twin.driver.health, "twin-01")
        await twin.ask(twin.driver.fleet)
        twin.admin.clear_faults(NAME)
        await twin.ask(twin.driver.health, "twin-01")
        twin.admin.fault(NAME, "agent-503", times=1)
        await twin.ask(twin.driver.fleet)
        twin.admin.fault(NAME, "agent-hangs", "twin-02", seconds=0.05, times=1)
        await twin.ask(twin.driver.drain, "twin-02", 1, "slow")
        await twin.until(lambda: twin.statuses()[1] == "DRAINED")  # the log records how many are unavailable then
        twin.admin.kill(NAME, "twin-03")
        await twin.ask(twin.driver.health, "twin-03")
        twin.admin.fault(NAME, "upgrade-fails", "twin-03")
        await twin.ask(twin.driver.set_version, "twin-03", NEW, 1, "fails")
        await twin.until(lambda: twin.statuses()[1:] == ["DRAINED", "STOPPED"])

    await _assert_same_answers(twins, scene)
