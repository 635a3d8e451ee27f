"""The types of the contract's fixtures, and executions and events to store."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from tests.labs.any_event import any_event
from tests.unit.domain.builders import make_execution, make_instance, make_request, name
from upgrade_orchestrator.domain.execution.events import Event, EventType
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.instance.instance import Instance
from upgrade_orchestrator.domain.registry.entries import Component, ComponentVersion
from upgrade_orchestrator.service.ports.signals import Waiter
from upgrade_orchestrator.service.ports.unit_of_work import UnitOfWork

Store = Callable[[], UnitOfWork]
Added = Callable[..., Awaitable[Execution]]
PassTime = Callable[[float], None]
Audit = Callable[[], list[tuple[str, str, str, str, str | None]]]
Listens = Callable[[Waiter], Awaitable[None]]

LEASE_SECONDS = 10.0
"The clock of the store under test, which only ``pass_time`` moves."
_numbers = itertools.count(1)


async def fill(store: Store) -> None:
    """Component aaa-111 with its two versions."""
    async with store() as work:
        await work.registry.put(Component(id="aaa-111", name="kafka"))
        for each, version in (("bbb-222", "3.6.0"), ("ccc-333", "3.7.0")):
            await work.registry.put(ComponentVersion(id=each, component_id="aaa-111", version=version))
        await work.commit()


def new_execution(**fields: Any) -> Execution:
    """Each of a tenant of its own unless one is given, since a tenant has one at a time."""
    number = next(_numbers)
    execution = make_execution(id=f"e-{number:04d}", tenant_id=f"t-{number}", total_instances=3)
    return replace(execution, **({"request": make_request(total_instances=3)} | fields))


def rows(count: int = 3) -> list[Instance]:
    return [make_instance(name(each), position=each) for each in range(count)]


def event(text: str = "") -> Event:
    return any_event(EventType.PROGRESS, {"text": text})


async def append(store: Store, execution: Execution, *texts: str) -> None:
    """Append in a separate transaction."""
    async with store() as work:
        await work.events.append(execution, [event(text) for text in texts])
        await work.commit()
