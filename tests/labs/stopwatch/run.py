"""One upgrade whose fleet breaks, with the stopwatch in hand."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from tests.labs.crash_after import CrashPoint, crashing
from tests.labs.fleet.wire import FleetsInMemory
from tests.labs.fuzz.life import walk_to_the_end
from tests.labs.lab import OLGA, abandoned, until
from tests.labs.memory.lab import MakeLab, MemoryLab
from tests.labs.stopwatch.agent import BrokenClient, BrokenFleets
from tests.labs.stopwatch.faults import Fault
from upgrade_orchestrator.domain.errors import InvalidState
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.finalize.finalize import finalize_abandoned
from upgrade_orchestrator.service.upgrade.commands import cancel_upgrade

STEP_SECONDS = 20
UPGRADE_SECONDS = 4.0
CANCEL_AFTER = 5.0
LOOK_SECONDS = 0.1
LONGEST = 300.0
LOOP_SECONDS = 2.0
UNHAPPY = (ExecutionStatus.FAILED, ExecutionStatus.ROLLING_BACK, ExecutionStatus.ROLLED_BACK)


@dataclass(frozen=True)
class Stopped:
    """Seconds after the cancel until it had answered, and until the place was free."""

    answered: float
    free: float


@dataclass(frozen=True)
class Running:
    """An upgrade in the background, whose fault has just begun."""

    lab: MemoryLab
    execution_id: str
    process: CrashPoint
    walk: "asyncio.Task[None]"

    async def kill(self) -> None:
        """The process dies without any clean-up, and nothing starts it again."""
        self.process.crashes_after = 0
        await abandoned(self.walk)

    async def free(self) -> bool:
        """Whether the next upgrade may be created."""
        return (await self.lab.execution(self.execution_id)).settled_at is not None

    async def says(self, pattern: str) -> bool:
        """Whether the caller sees the fault: attention, error of an instance, or reason of the status."""
        execution = await self.lab.execution(self.execution_id)
        rows = (await self.lab.instances(self.execution_id)).values()
        seen = [each.error or "" for each in rows]
        seen += [f"{execution.attention.code} {execution.attention.message}"] if execution.attention else []
        seen += [execution.status_reason] if execution.status in UNHAPPY else []
        return any(re.search(pattern, each) for each in seen)


@asynccontextmanager
async def broken(make_lab: MakeLab, fault: Fault) -> AsyncIterator[Running]:
    """The upgrade of eight instances two by two, from the moment at which its fleet breaks."""
    lab = await make_lab(size=8, **({"upgrade_seconds": UPGRADE_SECONDS} | dict(fault.settings)))
    assert isinstance(lab.world.ports.fleets, FleetsInMemory)
    client, process = BrokenClient(lab.world.ports.fleets.wire), CrashPoint(None)
    lab = lab.with_ports(fleets=BrokenFleets(client))
    fields: dict[str, Any] = {"batch_size": 2, "failure_threshold": 8, "health_check_timeout_seconds": STEP_SECONDS}
    execution = await lab.validating(**(fields | dict(fault.fields)))
    walk = asyncio.create_task(walk_to_the_end(crashing(lab, process), execution.id))
    await until(lambda: lab.statuses()[fault.during] >= 2, "a batch is worked on")
    fault.begin(lab, client)
    try:
        yield Running(lab, execution.id, process, walk)
    finally:
        lab.heal()
        await abandoned(walk)


async def time_to_name(make_lab: MakeLab, fault: Fault) -> float | None:
    """Seconds until the caller sees the fault; None if it does not hinder the upgrade."""
    async with broken(make_lab, fault) as running:
        began = _now()
        while _now() - began < LONGEST:
            if await running.says(fault.says or "."):
                return _now() - began
            if fault.says is None and running.walk.done():
                assert (await running.lab.execution(running.execution_id)).status is ExecutionStatus.COMPLETED
                return None
            await asyncio.sleep(LOOK_SECONDS)
    raise AssertionError(f"nothing names it: {fault.name}")


async def time_to_let_go(make_lab: MakeLab, fault: Fault, *, run_deleted: bool, after: float = CANCEL_AFTER) -> Stopped:
    """Cancel a while after the fault has begun; with ``run_deleted`` only the control loops are left from then on."""
    async with broken(make_lab, fault) as running:
        await asyncio.sleep(after)
        if run_deleted:
            await running.kill()
        began = _now()
        with suppress(InvalidState):  # the fault has ended it already
            await cancel_upgrade(running.lab.world.ports, running.execution_id, None, OLGA)
        answered, looked = _now() - began, 0.0
        while not await running.free():
            assert _now() - began < LONGEST, f"never free: {fault.name}"
            if run_deleted and _now() - looked >= LOOP_SECONDS:
                await finalize_abandoned(running.lab.world.ports)
                looked = _now()
                continue
            await asyncio.sleep(LOOK_SECONDS)
        return Stopped(answered, _now() - began)


def _now() -> float:
    return asyncio.get_running_loop().time()
