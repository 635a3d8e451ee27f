"""How a use case hears that something happened to an execution."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

ANYTHING = "*"
"Stands where an execution's id stands: any of them."


class Waiter(Protocol):
    """Waits for the next signal."""

    async def wait(self, seconds: float) -> bool:
        """True when something happened, False after ``seconds``; a missed signal costs those seconds only."""


class Names(Protocol):
    """Collects the ids that signals were about, such as the executions whose events were committed."""

    async def wait(self, seconds: float) -> frozenset[str]:
        """Their ids since the last call; none after ``seconds`` or ``wake``.

        ``ANYTHING`` is among them when it is not known which, as at the beginning.
        """

    def wake(self) -> None:
        """Let the caller of ``wait`` go on."""


class Signals(Protocol):
    """Signals that something happened to an execution, so that no caller has to poll fast."""

    def of(self, execution_id: str) -> AbstractAsyncContextManager[Waiter]:
        """A waiter that notices everything from here on; of every execution with ``ANYTHING``."""

    def names(self) -> AbstractAsyncContextManager[Names]:
        """Collects the ids of the executions from here on."""


class TaskEnds(Protocol):
    """Carries ids of finished task instances from the triggerer to the process that ends them in Airflow."""

    async def notify(self, task_id: str) -> None:
        """It is lost when no process listens.

        :raises Unavailable: the database does not answer.
        """

    def told(self) -> AbstractAsyncContextManager[Names]:
        """Collects from here on."""
