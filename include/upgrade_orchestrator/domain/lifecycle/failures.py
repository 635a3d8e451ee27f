"""The effect of instance failures on the execution (specification section 4, ``currentFailures``)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from upgrade_orchestrator.domain.execution.commands import SYSTEM
from upgrade_orchestrator.domain.execution.events import Event
from upgrade_orchestrator.domain.execution.execution import Execution, advance
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.lifecycle.rollback_start import begin_rollback


def record_failures(
    execution: Execution, newly_failed: Iterable[Instance], now: datetime
) -> tuple[Execution, list[Event]]:
    """Count each instance's first failure; at the threshold the execution fails, or rolls back if that is automatic.

    The canary monitor decides on the canaries: their failures count, but do not end CANARY_RUNNING.
    """
    first = [each for each in newly_failed if each.status is InstanceStatus.FAILED and each.attempts == 1]
    if not first:
        return execution, []
    counted = replace(execution, current_failures=execution.current_failures + len(first))
    return apply_threshold(counted, now)


def apply_threshold(execution: Execution, now: datetime) -> tuple[Execution, list[Event]]:
    """Apply the threshold to the failures counted so far; without effect unless the status is IN_PROGRESS."""
    if execution.status is not ExecutionStatus.IN_PROGRESS or not threshold_reached(execution):
        return execution, []
    if execution.request.auto_rollback_enabled:
        return begin_rollback(execution, reason_of(execution), SYSTEM, now)
    ended, event = advance(execution, ExecutionStatus.FAILED, reason_of(execution), SYSTEM, now)
    return ended, [event]


def threshold_reached(execution: Execution) -> bool:
    """True when the failures counted, without those that a promotion accepted, are as many as the threshold."""
    return execution.current_failures - execution.accepted_failures >= execution.request.failure_threshold


def reason_of(execution: Execution) -> str:
    """The number of failures and the threshold, in words."""
    accepted = f" ({execution.accepted_failures} of them accepted)" if execution.accepted_failures else ""
    return f"{execution.current_failures} failures{accepted}, failureThreshold is {execution.request.failure_threshold}"
