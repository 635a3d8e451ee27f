"""Admission (specification section 3): once the last check has ended, the execution is admitted or FAILED."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from upgrade_orchestrator.domain.checks.checks import OPEN, PASSING, CheckResult
from upgrade_orchestrator.domain.execution.commands import SYSTEM
from upgrade_orchestrator.domain.execution.events import Event
from upgrade_orchestrator.domain.execution.execution import Execution, Strategy, advance
from upgrade_orchestrator.domain.execution.states import ExecutionStatus


def admit(execution: Execution, results: Sequence[CheckResult], now: datetime) -> tuple[Execution, list[Event]]:
    """Admit or fail a VALIDATING execution once every check has its result; otherwise nothing changes."""
    if execution.status is not ExecutionStatus.VALIDATING or any(each.status in OPEN for each in results):
        return execution, []
    to, reason = _decide(execution, results)
    moved, event = advance(execution, to, reason, SYSTEM, now)
    return moved, [event]


def _decide(execution: Execution, results: Sequence[CheckResult]) -> tuple[ExecutionStatus, str]:
    failed = [each for each in results if each.status not in PASSING]
    if failed:
        why = "; ".join(f"{each.name.value}: {each.message or each.status.value}" for each in failed)
        return ExecutionStatus.FAILED, f"pre-upgrade checks failed: {why}"
    canary = execution.request.strategy is Strategy.CANARY
    return ExecutionStatus.CANARY_RUNNING if canary else ExecutionStatus.IN_PROGRESS, "all pre-upgrade checks passed"
