"""ExecutionStatistics as it is read (contract section 6): every figure is a number, 0 where there is nothing."""

from __future__ import annotations

from typing import Self

from upgrade_orchestrator.domain.operations.statistics import Statistics
from upgrade_orchestrator.schemas.base import Answer


class FiguresAnswer(Answer):
    """``successRate`` is percent; the seconds are of the COMPLETED executions."""

    total_executions: int
    successful_executions: int
    failed_executions: int
    cancelled_executions: int
    active_executions: int
    success_rate: float
    average_duration_seconds: float
    p50_duration_seconds: float
    p95_duration_seconds: float
    average_paused_seconds: float


class StatisticsAnswer(FiguresAnswer):
    """The seed's fields, and the same figures for each strategy that occurs."""

    component_id: str
    by_strategy: dict[str, FiguresAnswer]

    @classmethod
    def of(cls, statistics: Statistics) -> Self:
        """The statistics as they are shown."""
        overall = FiguresAnswer.model_validate(statistics.overall)
        split = {name.value: FiguresAnswer.model_validate(each) for name, each in statistics.by_strategy.items()}
        return cls(**dict(overall), component_id=statistics.component_id, by_strategy=split)
