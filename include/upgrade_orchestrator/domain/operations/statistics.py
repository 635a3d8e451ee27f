"""Statistics of executions: ExecutionStatistics (specification section 6), and the same by week."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus

NOT_SUCCESSFUL: frozenset[ExecutionStatus] = frozenset({ExecutionStatus.FAILED, ExecutionStatus.ROLLED_BACK})
"Statuses that count as failed; a cancelled execution counts neither as successful nor as failed."


@dataclass(frozen=True, slots=True)
class Figures:
    """Executions counted by outcome, and the seconds that the COMPLETED ones took.

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
        """The percentage of successful among successful and failed executions; 0.0 when there are none."""
        ended = self.successful_executions + self.failed_executions
        return 100 * self.successful_executions / ended if ended else 0.0


@dataclass(frozen=True, slots=True)
class Statistics:
    """The statistics of a component in all tenants, overall and for each strategy that occurs."""

    component_id: str
    overall: Figures
    by_strategy: Mapping[Strategy, Figures]


@dataclass(frozen=True, slots=True)
class HistoryOf:
    """Which executions count: those of a component, of a tenant, or of both."""

    component_id: str | None = None
    tenant_id: str | None = None


@dataclass(frozen=True, slots=True)
class Week:
    """The executions that ended in seven days (UTC) from a Monday on."""

    begins: date
    figures: Figures


@dataclass(frozen=True, slots=True)
class History:
    """Executions that ended in the last weeks: overall, for each strategy that occurs, and for every week."""

    overall: Figures
    by_strategy: Mapping[Strategy, Figures]
    weeks: Sequence[Week]


def first_monday(today: date, weeks: int) -> date:
    """The Monday on which the last ``weeks`` weeks begin, counting the current one."""
    return today - timedelta(days=today.weekday(), weeks=weeks - 1)


def mondays(first: date, last: date) -> Iterator[date]:
    """Every Monday from ``first`` to ``last``."""
    while first <= last:
        yield first
        first += timedelta(weeks=1)
