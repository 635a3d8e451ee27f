"""What the live feed needs from the outside: signals that name whom they are about."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from upgrade_orchestrator.domain.execution.states import ExecutionStatus, is_terminal

if TYPE_CHECKING:  # ports.py has these among its own
    from upgrade_orchestrator.service.ports.signals import Waiter


@dataclass(frozen=True, slots=True)
class Tail:
    """Where an execution's event log ends: the last sequence, and the status that belongs to it."""

    sequence: int
    status: ExecutionStatus
    settled: bool

    @property
    def ended(self) -> bool:
        """The execution is terminal; instances may still be in flight."""
        return is_terminal(self.status)

    @property
    def over(self) -> bool:
        """Terminal and nothing in flight any more: no event follows."""
        return self.ended and self.settled


class Names(Protocol):
    """Collects who was told of: of the live feed the executions whose events were committed."""

    async def wait(self, seconds: float) -> frozenset[str]:
        """Their ids since the last call; none after ``seconds`` or ``wake``.

        ``ANYTHING`` is among them when it cannot be told whose, as at the beginning.
        """

    def wake(self) -> None:
        """Let who waits go on."""


class LiveSignals(Protocol):
    """Signals (port ``Signals``) that can also say whom they are about."""

    def of(self, execution_id: str) -> AbstractAsyncContextManager[Waiter]:
        """A waiter that notices everything from here on."""

    def names(self) -> AbstractAsyncContextManager[Names]:
        """Collects from here on."""
