"""How the success rate is computed (specification section 6)."""

import pytest

from upgrade_orchestrator.domain.execution.states import TERMINAL, ExecutionStatus
from upgrade_orchestrator.domain.operations.statistics import NOT_SUCCESSFUL, Figures


@pytest.mark.parametrize(
    ("successful", "failed", "rate"), [(0, 0, 0.0), (3, 0, 100.0), (0, 2, 0.0), (1, 2, 100 / 3), (19, 1, 95.0)]
)
def test_success_rate_is_a_percentage_of_completed_failed_and_rolled_back_executions(
    successful: int, failed: int, rate: float
) -> None:
    figures = Figures(successful_executions=successful, failed_executions=failed)
    assert figures.success_rate == pytest.approx(rate)


def test_success_rate_ignores_cancelled_and_active_executions() -> None:
    figures = Figures(
        total_executions=9, successful_executions=1, failed_executions=1, cancelled_executions=4, active_executions=3
    )
    assert figures.success_rate == 50.0


def test_every_terminal_status_is_counted_once() -> None:
    assert set(TERMINAL) - NOT_SUCCESSFUL == {ExecutionStatus.COMPLETED, ExecutionStatus.CANCELLED}
