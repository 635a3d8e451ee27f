"""Blue-green upgrades as the DAG drives them, and what the fleet's log says of its pools."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from tests.labs.lab import FOREVER, Lab
from tests.labs.seed import COMPONENT, NEW, TENANT
from upgrade_orchestrator.domain.blue_green.cutover import Goal
from upgrade_orchestrator.domain.execution.execution import Execution, Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.domain.plan.batch import Phase
from upgrade_orchestrator.domain.plan.steps import Step, StepKind
from upgrade_orchestrator.domain.registry.entries import ComponentVersion, UpgradePath
from upgrade_orchestrator.service.finalize.finalize import end_upgrade
from upgrade_orchestrator.service.finalize.settle import fail_if_unfinished
from upgrade_orchestrator.service.rollout.verification import verify
from upgrade_orchestrator.service.runner.outcome import Ending, Outcome
from upgrade_orchestrator.service.steps.work import complete_step

AnyLab = TypeVar("AnyLab", bound=Lab)
S = ExecutionStatus
NEWEST, NEWEST_VERSION = "ddd-444", "3.8.0"


STEP_TO = {
    Goal.CHECKED: StepKind.CHECK_GREEN,
    Goal.SWITCHED: StepKind.SWITCH_TRAFFIC,
    Goal.SOAKED: StepKind.SOAK,
    Goal.RETIRED: StepKind.RETIRE_BLUE,
}
"The step whose task goes as far as this."


def blue_green(**fields: Any) -> dict[str, Any]:
    return {"strategy": Strategy.BLUE_GREEN} | fields


async def switched(make_lab: Callable[..., Awaitable[AnyLab]], size: int = 3, **fields: Any) -> tuple[AnyLab, str]:
    """A lab whose new pool has the traffic and is about to soak."""
    lab = await make_lab(size=size)
    execution_id = await lab.admitted(**blue_green(**fields))
    await over(lab, execution_id, Goal.SWITCHED)
    assert traffic(lab) == "green"
    return lab, execution_id


async def over(lab: Lab, execution_id: str, goal: Goal, seconds: float | None = None) -> Outcome:
    """One task of the switch-over; one that hangs fails the test."""
    return await asyncio.wait_for(complete_step(lab.world.ports, execution_id, Step(STEP_TO[goal]), seconds), FOREVER)


def going_over(lab: Lab, execution_id: str, goal: Goal) -> "asyncio.Task[Outcome]":
    """The same beside the test."""
    return asyncio.create_task(over(lab, execution_id, goal))


async def forth(lab: Lab, execution_id: str) -> Execution:
    """The tasks from the new pool to the verification, one after the other, until one is stopped."""
    if (await lab.run(execution_id, 1)).ending is Ending.DONE:
        for goal in Goal:
            if (await over(lab, execution_id, goal)).ending is not Ending.DONE:
                break
    if (await lab.execution(execution_id)).status is S.IN_PROGRESS:
        await verify(lab.world.ports, await lab.context(execution_id), FOREVER)
    return await lab.execution(execution_id)


async def upgrade(lab: Lab, execution_id: str) -> Execution:
    """As the DAG does: forth, and then what the status asks for."""
    await forth(lab, execution_id)
    execution = await fail_if_unfinished(lab.world.ports, execution_id)
    if execution.status is S.ROLLING_BACK:
        return await lab.roll_back(execution_id)
    return execution if execution.status is S.COMPLETED else await end(lab, execution_id)


async def end(lab: Lab, execution_id: str) -> Execution:
    """The task of the other ends."""
    await asyncio.wait_for(end_upgrade(lab.world.ports, await lab.context(execution_id), None), FOREVER)
    return await lab.execution(execution_id)


def traffic(lab: Lab) -> str:
    """The pool that has it."""
    found: str = lab.world.admin.fleet(lab.world.fleet)["traffic"]
    return found


def pools(lab: Lab) -> dict[str, set[str]]:
    """The versions in each pool."""
    found: dict[str, set[str]] = {}
    for each in lab.fleet().values():
        found.setdefault(each["pool"], set()).add(each["version"])
    return found


def pool_orders(lab: Lab) -> list[str]:
    """What was done to pools, in its order: made and removed ones, and where the traffic went."""
    found = []
    for each in lab.log():
        if each["kind"] == "traffic":
            found.append(f"traffic to {each['pool']}")
        if each["kind"] == "pool":
            found.append(f"{each['pool']} removed" if each["size"] is None else f"{each['pool']} at {each['version']}")
    return found


def green(lab: Lab, number: int, pool: str = "green") -> str:
    """The id of the new pool's n-th instance, from 1."""
    return f"{lab.world.fleet}-{pool}-{number:02d}"


def break_green(lab: Lab, kind: str, number: int, **more: Any) -> None:
    """Switch a fault on for an instance of the new pool, which has to be there."""
    lab.world.admin.fault(lab.world.fleet, kind, green(lab, number), **more)


async def statuses(lab: Lab, execution_id: str) -> set[InstanceStatus]:
    """Those of the rows."""
    return {each.status for each in (await lab.instances(execution_id)).values()}


async def until_soaking(lab: Lab, execution_id: str) -> None:
    """Waits until the switch is written down."""
    async with lab.world.ports.signals.of(execution_id) as waiter:
        for _ in range(200):
            if (await lab.batches(execution_id))[0].phase is Phase.SOAK:
                return
            await waiter.wait(0.1)
    raise AssertionError("not switched")


async def admitted_next(lab: Lab, strategy: Strategy) -> str:
    """Another upgrade, admitted: on from the version that the first one has brought."""
    async with lab.world.ports.work() as work:
        await work.registry.put(ComponentVersion(id=NEWEST, component_id=COMPONENT, version=NEWEST_VERSION))
        path = UpgradePath(id="path-2", component_id=COMPONENT, from_version_id=NEW, to_version_id=NEWEST, tested=True)
        await work.registry.put(path)
        (backup,) = await work.registry.backups(TENANT, COMPONENT)
        await work.registry.put(replace(backup, id="backup-2", version_id=NEW))
        await work.commit()
    return await lab.admitted(from_version_id=NEW, to_version_id=NEWEST, strategy=strategy)
