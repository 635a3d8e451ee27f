"""What an event is to the metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from upgrade_orchestrator.domain.checks.checks import CheckStatus
from upgrade_orchestrator.domain.events import metrics
from upgrade_orchestrator.domain.events.metrics import Figure
from upgrade_orchestrator.domain.execution.events import Event, EventType
from upgrade_orchestrator.domain.execution.states import ExecutionStatus, is_terminal
from upgrade_orchestrator.domain.instance.instance import InstanceStatus


@dataclass(frozen=True, slots=True)
class Told:
    """An event, with the strategy of its execution and when that began whose end it may tell of."""

    execution_id: str
    sequence: int
    event: Event
    time: datetime
    strategy: str
    began_at: datetime | None

    @property
    def milliseconds(self) -> float | None:
        """How long it took; None for what never began."""
        if self.began_at is None:
            return None
        return max(0.0, (self.time - self.began_at) / timedelta(milliseconds=1))


def figures(told: Told) -> list[Figure]:
    """None for most events."""
    measure = _MEASURED.get(told.event.what)
    return measure(told) if measure else []


def _status(told: Told) -> list[Figure]:
    status = ExecutionStatus(str(told.event.data["to"]))
    if status is ExecutionStatus.VALIDATING:
        return [metrics.STARTED.of(1, told.strategy)]
    if not is_terminal(status):
        return []
    ended = metrics.ENDED.of(1, status.value, told.strategy)
    return [ended, *_took(metrics.EXECUTION_TIME, told, status.value, told.strategy)]


def _check(told: Told) -> list[Figure]:
    failed = told.event.data["status"] == CheckStatus.FAILED
    return [metrics.FAILED_CHECKS.of(1, str(told.event.data["name"]))] if failed else []


def _batch(told: Told) -> list[Figure]:
    return _took(metrics.BATCH_TIME, told, str(told.event.data["kind"]), told.strategy)


def _instance(told: Told) -> list[Figure]:
    status = InstanceStatus(str(told.event.data["to"]))
    on_its_way_back = told.event.data["from"] == status
    if on_its_way_back or status not in (InstanceStatus.COMPLETED, InstanceStatus.FAILED):
        return []
    took = _took(metrics.INSTANCE_TIME, told, status.value, told.strategy)
    return [metrics.FAILED_INSTANCES.of(1, told.strategy), *took] if status is InstanceStatus.FAILED else took


def _rollback(told: Told) -> list[Figure]:
    return [metrics.ROLLBACKS.of(1, told.strategy)]


def _approval(told: Told) -> list[Figure]:
    return _took(metrics.APPROVAL_TIME, told, str(told.event.data["decision"]))


def _took(metric: metrics.Metric, told: Told, *tags: str) -> list[Figure]:
    milliseconds = told.milliseconds
    return [] if milliseconds is None else [metric.of(milliseconds, *tags)]


_MEASURED: dict[EventType, Callable[[Told], list[Figure]]] = {
    EventType.STATUS_CHANGED: _status,
    EventType.CHECK_COMPLETED: _check,
    EventType.BATCH_COMPLETED: _batch,
    EventType.INSTANCE_CHANGED: _instance,
    EventType.ROLLBACK_STARTED: _rollback,
    EventType.APPROVAL_DECIDED: _approval,
}
MEASURED = frozenset(_MEASURED)
"The events that there is something to measure in."
