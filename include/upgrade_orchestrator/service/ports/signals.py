"""How a use case hears that something happened to an execution."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # it has these signals among its own
    from upgrade_orchestrator.service.ports.live import Names

ANYTHING = "*"
"Stands where an execution's id stands: whatever happens to any of them."


class Signals(Protocol):
    """Tells that something happened to an execution, so that nobody has to poll fast."""

    def of(self, execution_id: str) -> AbstractAsyncContextManager[Waiter]:
        """A waiter that notices everything from here on; of every execution with ``ANYTHING``."""


class Waiter(Protocol):
    """Waits for the next signal."""

    async def wait(self, seconds: float) -> bool:
        """True when something happened, False after ``seconds``; a missed signal costs those seconds only."""


class TaskEnds(Protocol):
    """Carries the ids of Airflow's task instances whose work is done from the triggerer to whoever ends them."""

    async def tell(self, task_id: str) -> None:
        """Nobody may hear it.

        :raises Unavailable: the database does not answer.
        """

    def told(self) -> AbstractAsyncContextManager[Names]:
        """Collects from here on."""
