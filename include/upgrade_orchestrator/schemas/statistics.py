"""Representation of statistics (specification section 6): every figure is a number, 0 if there is no data."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from upgrade_orchestrator.domain.operations.statistics import Statistics
from upgrade_orchestrator.schemas.base import ResponseBody


class FiguresResponse(ResponseBody):
    """``successRate`` is in percent; durations are of COMPLETED executions."""

    total_executions: int = Field(examples=[12])
    successful_executions: int = Field(examples=[9])
    failed_executions: int = Field(examples=[1])
    cancelled_executions: int = Field(examples=[1])
    active_executions: int = Field(examples=[1])
    success_rate: float = Field(examples=[90.0])
    average_duration_seconds: float = Field(examples=[1260.5])
    p50_duration_seconds: float = Field(examples=[1201.0])
    p95_duration_seconds: float = Field(examples=[2110.2])
    average_paused_seconds: float = Field(examples=[12.0])


class StatisticsResponse(FiguresResponse):
    """The totals, and the same figures for each strategy that occurs."""

    component_id: str = Field(examples=["aaa-111"])
    by_strategy: dict[str, FiguresResponse]

    @classmethod
    def of(cls, statistics: Statistics) -> Self:
        """The response body for the statistics."""
        overall = FiguresResponse.model_validate(statistics.overall)
        split = {name.value: FiguresResponse.model_validate(each) for name, each in statistics.by_strategy.items()}
        return cls(**dict(overall), component_id=statistics.component_id, by_strategy=split)
