"""How a use case hears that something happened to an execution."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

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
