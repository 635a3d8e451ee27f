"""Canaries: steps of their tests."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from tests.labs.lab import FOREVER, Lab
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.rollout.canary import monitor_canary
from upgrade_orchestrator.service.runner.outcome import Ending, Outcome

AnyLab = TypeVar("AnyLab", bound=Lab)
S = ExecutionStatus


def canary_fields(**fields: Any) -> dict[str, Any]:
    return {"strategy": Strategy.CANARY, "canary_percentage": 40, "max_unavailable_percentage": 40} | fields


async def deployed(make_lab: Callable[..., Awaitable[AnyLab]], size: int = 5, **fields: Any) -> tuple[AnyLab, str]:
    """A lab with its canaries deployed: 40 % of five are two."""
    lab = await make_lab(size=size)
    execution_id = await lab.admitted(**canary_fields(**fields))
    assert (await lab.run(execution_id, 1)).ending is Ending.DONE
    assert (await lab.execution(execution_id)).status is S.CANARY_MONITORING
    return lab, execution_id


async def monitored(lab: Lab, execution_id: str, seconds: float | None = 0.0) -> Outcome:
    return await asyncio.wait_for(monitor_canary(lab.world.ports, await lab.context(execution_id), seconds), FOREVER)


async def polls(lab: Lab, execution_id: str) -> list[Any]:
    return [each.data for each in await lab.events(execution_id) if each.what is EventType.CANARY_POLLED]


async def until_polls(lab: Lab, execution_id: str, count: int) -> None:
    end = asyncio.get_running_loop().time() + 20
    while len(await polls(lab, execution_id)) < count:
        assert asyncio.get_running_loop().time() < end, f"not {count} polls within 20 s"
        await asyncio.sleep(0.02)
