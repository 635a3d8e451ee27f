"""Events for the tests to append."""

from tests.labs.any_event import any_event
from tests.store_contract.stores import Store
from upgrade_orchestrator.domain.execution.events import Event, EventType
from upgrade_orchestrator.domain.execution.execution import Execution


def event(text: str = "") -> Event:
    return any_event(EventType.PROGRESS, {"text": text})


async def append(store: Store, execution: Execution, *texts: str) -> None:
    """Append in a separate transaction."""
    async with store() as work:
        await work.events.append(execution, [event(text) for text in texts])
        await work.commit()
