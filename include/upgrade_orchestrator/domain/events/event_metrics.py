"""The metric values that follow from an event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from upgrade_orchestrator.domain.checks.checks import CheckStatus
from upgrade_orchestrator.domain.events import metrics
from upgrade_orchestrator.domain.events.metrics import MetricValue
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.states import ExecutionStatus, is_terminal
from upgrade_orchestrator.domain.instance.instance import InstanceStatus


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event as the metrics and notifications read it: with the strategy of its execution, and ``began_at``.

    ``began_at`` is when the execution, batch, instance or approval began whose end the event reports, if it does.
    """

    execution_id: str
    sequence: int
    what: EventType
    data: Mapping[str, object]
    time: datetime
    strategy: str
    began_at: datetime | None

    @property
    def milliseconds(self) -> float | None:
        """The duration that ended with this event; None when nothing began or ended."""
        if self.began_at is None:
            return None
        return max(0.0, (self.time - self.began_at) / timedelta(milliseconds=1))


def metric_values(recorded: RecordedEvent) -> list[MetricValue]:
    """The metric values of the event; an empty list for most events."""
    measure = _MEASURED.get(recorded.what)
    return measure(recorded) if measure else []


def _status(recorded: RecordedEvent) -> list[MetricValue]:
    status = ExecutionStatus(str(recorded.data["to"]))
    if status is ExecutionStatus.VALIDATING:
        return [metrics.STARTED.of(1, recorded.strategy)]
    if not is_terminal(status):
        return []
    ended = metrics.ENDED.of(1, status.value, recorded.strategy)
    return [ended, *_took(metrics.EXECUTION_TIME, recorded, status.value, recorded.strategy)]


def _check(recorded: RecordedEvent) -> list[MetricValue]:
    failed = recorded.data["status"] == CheckStatus.FAILED
    return [metrics.FAILED_CHECKS.of(1, str(recorded.data["name"]))] if failed else []


def _batch(recorded: RecordedEvent) -> list[MetricValue]:
    return _took(metrics.BATCH_TIME, recorded, str(recorded.data["kind"]), recorded.strategy)


def _instance(recorded: RecordedEvent) -> list[MetricValue]:
    status = InstanceStatus(str(recorded.data["to"]))
    is_rollback_step = recorded.data["from"] == status
    if is_rollback_step or status not in (InstanceStatus.COMPLETED, InstanceStatus.FAILED):
        return []
    took = _took(metrics.INSTANCE_TIME, recorded, status.value, recorded.strategy)
    return [metrics.FAILED_INSTANCES.of(1, recorded.strategy), *took] if status is InstanceStatus.FAILED else took


def _rollback(recorded: RecordedEvent) -> list[MetricValue]:
    return [metrics.ROLLBACKS.of(1, recorded.strategy)]


def _approval(recorded: RecordedEvent) -> list[MetricValue]:
    return _took(metrics.APPROVAL_TIME, recorded, str(recorded.data["decision"]))


def _took(metric: metrics.Metric, recorded: RecordedEvent, *tags: str) -> list[MetricValue]:
    milliseconds = recorded.milliseconds
    return [] if milliseconds is None else [metric.of(milliseconds, *tags)]


_MEASURED: dict[EventType, Callable[[RecordedEvent], list[MetricValue]]] = {
    EventType.STATUS_CHANGED: _status,
    EventType.CHECK_COMPLETED: _check,
    EventType.BATCH_COMPLETED: _batch,
    EventType.INSTANCE_CHANGED: _instance,
    EventType.ROLLBACK_STARTED: _rollback,
    EventType.APPROVAL_DECIDED: _approval,
}
MEASURED = frozenset(_MEASURED)
"The event types from which metrics follow."
