"""Drives upgrades through the use cases, and reads the rows and the fleet's log."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Self

from tests.labs.seed import COMPONENT, NEW, OLD, TENANT
from tests.labs.world import World
from upgrade_orchestrator.domain.checks.checks import CheckName, CheckResult
from upgrade_orchestrator.domain.execution.commands import Actor
from upgrade_orchestrator.domain.execution.execution import Execution, UpgradeRequest, advance
from upgrade_orchestrator.domain.execution.states import MAY_START, ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import Instance
from upgrade_orchestrator.domain.plan.batch import Batch
from upgrade_orchestrator.service.checks.run import run_check
from upgrade_orchestrator.service.finalize.finalize import finish_and_settle
from upgrade_orchestrator.service.finalize.rollback import confirm_rollback, run_rollback
from upgrade_orchestrator.service.finalize.settle import fail_if_unfinished
from upgrade_orchestrator.service.ports.stores.events import StoredEvent
from upgrade_orchestrator.service.rollout.batch import run_batch
from upgrade_orchestrator.service.rollout.verification import verify
from upgrade_orchestrator.service.runner.context import Context, load_context
from upgrade_orchestrator.service.runner.outcome import Ending, Outcome
from upgrade_orchestrator.service.upgrade.create import create_upgrade
from upgrade_orchestrator.service.upgrade.start import start_upgrade

OLGA = Actor("olga")
FOREVER = 60.0
"Seconds after which a run of these small fleets counts as hanging."


async def until(condition: Callable[[], Any], what: str, seconds: float = 15.0) -> Any:
    """The first truthy value of the condition, asked every few milliseconds without blocking the event loop."""
    end = asyncio.get_running_loop().time() + seconds
    while not (found := condition()):
        assert asyncio.get_running_loop().time() < end, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.01)
    return found


async def abandoned(task: "asyncio.Task[Any]") -> None:
    """The task was cancelled with what it has in flight."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@dataclass(frozen=True)
class Lab:
    """One fleet with its registry content."""

    world: World

    def with_ports(self, **changed: Any) -> Self:
        """The same lab, reached through other ports."""
        return replace(self, world=replace(self.world, ports=replace(self.world.ports, **changed)))

    def name(self, number: int) -> str:
        """The id of the fleet's n-th instance, from 1."""
        return f"{self.world.fleet}-{number:02d}"

    # the steps of an upgrade

    async def created(self, **fields: Any) -> Execution:
        """Create an execution, with short time-outs unless said otherwise."""
        quick = {"batch_delay_seconds": 0, "health_check_interval_seconds": 1, "health_check_timeout_seconds": 5}
        what = {"component_id": COMPONENT, "from_version_id": OLD, "to_version_id": NEW}
        request = UpgradeRequest(**(what | quick | fields))
        return await create_upgrade(self.world.ports, TENANT, request, OLGA)

    async def validating(self, **fields: Any) -> Execution:
        """Create and start one."""
        return await start_upgrade(self.world.ports, (await self.created(**fields)).id, OLGA)

    async def check(self, execution_id: str) -> dict[CheckName, CheckResult]:
        """Run the checks side by side, as the DAG does."""
        results = await asyncio.gather(*(run_check(self.world.ports, execution_id, name) for name in CheckName))
        return {each.name: each for each in results}

    async def admitted(self, **fields: Any) -> str:
        """Create, start, check and admit one; returns the execution's id."""
        execution = await self.validating(**fields)
        await self.check(execution.id)
        admitted = await self.execution(execution.id)
        assert admitted.status in MAY_START, admitted.status_reason
        return execution.id

    async def admitted_unchecked(self, **fields: Any) -> str:
        """Admitted although a check would fail now: what it looked at broke afterwards."""
        execution = await self.validating(**fields)
        await self.go(execution.id, ExecutionStatus.IN_PROGRESS)
        return execution.id

    async def context(self, execution_id: str) -> Context:
        """The execution with its plan and its deployment."""
        return await load_context(self.world.ports, execution_id)

    async def run(self, execution_id: str, number: int, seconds: float | None = None) -> Outcome:
        """Run one batch; one that hangs fails the test."""
        context = await self.context(execution_id)
        return await asyncio.wait_for(run_batch(self.world.ports, context, number, seconds), FOREVER)

    def running(self, execution_id: str, number: int) -> "asyncio.Task[Outcome]":
        """Start the same in the background."""
        return asyncio.create_task(self.run(execution_id, number))

    async def run_batches(self, execution_id: str) -> Execution:
        """Run the batches in their order until one is stopped."""
        for each in await self.batches(execution_id):
            if (await self.run(execution_id, each.number)).ending is not Ending.DONE:
                break
        return await self.execution(execution_id)

    async def upgrade(self, execution_id: str) -> Execution:
        """Run the batches, the verification, and then what the status asks for, as the DAG does."""
        execution = await self.run_batches(execution_id)
        if execution.status is ExecutionStatus.IN_PROGRESS:
            await verify(self.world.ports, await self.context(execution_id), FOREVER)
        execution = await fail_if_unfinished(self.world.ports, execution_id)
        if execution.status is ExecutionStatus.ROLLING_BACK:
            return await self.roll_back(execution_id)
        return execution if execution.status is ExecutionStatus.COMPLETED else await self.end(execution_id)

    async def end(self, execution_id: str) -> Execution:
        """Wait for what is in flight, undrain what is drained, and release the execution's active slot."""
        await asyncio.wait_for(finish_and_settle(self.world.ports, await self.context(execution_id), None), FOREVER)
        return await self.execution(execution_id)

    async def roll_back(self, execution_id: str) -> Execution:
        """Run the rollback, and the verification of its result."""
        await asyncio.wait_for(run_rollback(self.world.ports, await self.context(execution_id), None), FOREVER)
        return await confirm_rollback(self.world.ports, await self.context(execution_id))

    async def go(self, execution_id: str, to: ExecutionStatus, reason: str = "asked") -> None:
        """Change the status under the row's lock, with its event, as every command does."""
        async with self.world.ports.work() as work:
            execution = await work.executions.lock(execution_id)
            moved, event = advance(execution, to, reason, OLGA, await work.now())
            await work.events.append(moved, [event])
            await work.executions.save(moved)
            await work.commit()

    # what the rows say

    async def execution(self, execution_id: str) -> Execution:
        async with self.world.ports.work() as work:
            return await work.executions.get(execution_id)

    async def instances(self, execution_id: str) -> dict[str, Instance]:
        async with self.world.ports.work() as work:
            return {each.instance_id: each for each in await work.executions.instances(execution_id)}

    async def batches(self, execution_id: str) -> list[Batch]:
        async with self.world.ports.work() as work:
            return await work.executions.batches(execution_id)

    async def events(self, execution_id: str) -> list[StoredEvent]:
        async with self.world.ports.work() as work:
            return await work.events.page(execution_id, 0, 10_000)

    async def deployment(self) -> tuple[str, object]:
        """The deployment's version id, and what `mixed` says."""
        async with self.world.ports.work() as work:
            found = await work.registry.deployment(TENANT, COMPONENT)
        assert found is not None
        return found.current_version_id, found.mixed

    def lease(self) -> tuple[str, int, bool]:
        """Owner, token and whether the lease is held now."""
        return self.world.lease()

    def end_lease(self) -> None:
        """Make the lease expire, as if its holder had been silent for too long."""
        self.world.end_lease()

    # what the fleet says

    def fault(self, kind: str, number: int | None = None, **more: Any) -> None:
        """Switch a fault on, for one instance or the fleet."""
        instance = None if number is None else self.name(number)
        self.world.admin.fault(self.world.fleet, kind, instance, **more)

    def kill(self, number: int) -> None:
        """Kill the process of an instance."""
        self.world.admin.kill(self.world.fleet, self.name(number))

    def heal(self) -> None:
        """Switch all faults off."""
        self.world.admin.clear_faults(self.world.fleet)

    def fleet(self) -> dict[str, dict[str, Any]]:
        """The instances as the fleet shows them, by id."""
        return {each["id"]: each for each in self.world.admin.fleet(self.world.fleet)["instances"]}

    def versions(self) -> Counter[str]:
        """How many instances run which version."""
        return Counter(each["version"] for each in self.fleet().values())

    def statuses(self) -> Counter[str]:
        """How many instances are in which status."""
        return Counter(each["status"] for each in self.fleet().values())

    def log(self) -> list[dict[str, Any]]:
        return self.world.admin.log(self.world.fleet)

    def upgrades(self) -> list[str]:
        """The instances in the order in which the fleet began to install a version, repetitions included."""
        return [each["instance"] for each in self.log() if each["kind"] == "transition" and each["to"] == "UPGRADING"]

    def most_unavailable(self) -> int:
        """The most instances that were down at once."""
        return max(int(each["unavailable"]) for each in self.log())

    def tokens(self) -> list[int]:
        """The fencing tokens of the orders, as the fleet received them."""
        return [int(each["fence"]) for each in self.log() if each["kind"] == "call"]


def seconds_between(earlier: Any, later: Any) -> float:
    """The shorter of two times."""
    found: timedelta = later - earlier
    return found.total_seconds()
