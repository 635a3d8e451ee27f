"""Signals between processes: something happened to an execution."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

ANYTHING = "*"
"Instead of an execution's id: any execution."


class Waiter(Protocol):
    """Waits for the next signal."""

    async def wait(self, seconds: float) -> bool:
        """True after a signal, False after ``seconds``; a lost signal delays the caller by no more than that."""


class Names(Protocol):
    """Collects the ids that signals carry, such as those of executions with new events."""

    async def wait(self, seconds: float) -> frozenset[str]:
        """The ids since the last call; empty after ``seconds`` or ``wake``.

        ``ANYTHING`` is among them when ids may have been missed, as at the beginning.
        """

    def wake(self) -> None:
        """End the current ``wait`` at once."""


class Signals(Protocol):
    """Signals that something happened to an execution, so that callers need not poll often."""

    def of(self, execution_id: str) -> AbstractAsyncContextManager[Waiter]:
        """A waiter for signals of this execution from now on; ``ANYTHING``: of every execution."""

    def names(self) -> AbstractAsyncContextManager[Names]:
        """Collects the ids of executions from now on."""


class TaskEnds(Protocol):
    """Carries ids of finished task instances from the triggerer to the process that ends them in Airflow."""

    async def notify(self, task_id: str) -> None:
        """Send the id; it is lost when no process listens.

        :raises Unavailable: the database does not respond.
        """

    def listen(self) -> AbstractAsyncContextManager[Names]:
        """Collects the ids from now on."""
