"""How upgrades went: ExecutionStatistics (contract section 6), and the same over time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus

NOT_SUCCESSFUL: frozenset[ExecutionStatus] = frozenset({ExecutionStatus.FAILED, ExecutionStatus.ROLLED_BACK})
"What counts as failed; a cancelled execution counts as neither."


@dataclass(frozen=True, slots=True)
class Figures:
    """Executions counted by how they stand, and the seconds that the COMPLETED ones took.

    A duration is from startedAt to completedAt, pauses included; ``average_paused_seconds`` is over the same
    executions, so that the difference of the two averages is the time worked. 0.0 where none is COMPLETED.
    """

    total_executions: int = 0
    successful_executions: int = 0
    failed_executions: int = 0
    cancelled_executions: int = 0
    active_executions: int = 0
    average_duration_seconds: float = 0.0
    p50_duration_seconds: float = 0.0
    p95_duration_seconds: float = 0.0
    average_paused_seconds: float = 0.0

    @property
    def success_rate(self) -> float:
        """Percent of the executions that ended by themselves; 0.0 when none did."""
        ended = self.successful_executions + self.failed_executions
        return 100 * self.successful_executions / ended if ended else 0.0


@dataclass(frozen=True, slots=True)
class Statistics:
    """A component's executions in every tenant, all together and for each strategy that occurs."""

    component_id: str
    overall: Figures
    by_strategy: Mapping[Strategy, Figures]


@dataclass(frozen=True, slots=True)
class HistoryOf:
    """Whose executions: a component's in every tenant, a tenant's of every component, or both."""

    component_id: str | None = None
    tenant_id: str | None = None


@dataclass(frozen=True, slots=True)
class Week:
    """The executions that ended in seven days (UTC) from a Monday on."""

    begins: date
    figures: Figures


@dataclass(frozen=True, slots=True)
class History:
    """Executions that ended in some last weeks: all together, for each strategy that occurs, and for every week."""

    overall: Figures
    by_strategy: Mapping[Strategy, Figures]
    weeks: Sequence[Week]


def first_monday(today: date, weeks: int) -> date:
    """Where so many weeks begin of which today's is the last."""
    return today - timedelta(days=today.weekday(), weeks=weeks - 1)


def mondays(first: date, last: date) -> Iterator[date]:
    """The Monday ``first``, and every other one until ``last``."""
    while first <= last:
        yield first
        first += timedelta(weeks=1)
