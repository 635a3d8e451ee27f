"""All metrics (docs/observability.md), and a single value of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """How the values of a metric are aggregated."""

    GAUGE = "gauge"
    "The current value; the last one counts."
    COUNTER = "counter"
    "An increment; increments add up."
    TIMER = "timer"
    "A duration in milliseconds."


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric; ``tags`` are the names of its tags, in their order."""

    name: str
    kind: Kind
    unit: str
    tags: tuple[str, ...]
    meaning: str

    def of(self, value: float, *tags: str) -> MetricValue:
        """A value of this metric, with one string for each tag."""
        return MetricValue(self, value, dict(zip(self.tags, tags, strict=True)))


@dataclass(frozen=True, slots=True)
class MetricValue:
    """One value of a metric, with its tags."""

    metric: Metric
    value: float
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """The name for metric systems without tags: the tags' values are appended, so that names stay distinct."""
        return ".".join((self.metric.name, *self.tags.values()))


def _gauge(name: str, unit: str, tags: tuple[str, ...], meaning: str) -> Metric:
    return Metric(f"upgrades.{name}", Kind.GAUGE, unit, tags, meaning)


def _counter(name: str, unit: str, tags: tuple[str, ...], meaning: str) -> Metric:
    return Metric(f"upgrades.{name}", Kind.COUNTER, unit, tags, meaning)


def _timer(name: str, tags: tuple[str, ...], meaning: str) -> Metric:
    return Metric(f"upgrades.{name}", Kind.TIMER, "ms", tags, meaning)


_OF_STRATEGY = ("strategy",)
EXECUTIONS = _gauge("executions", "executions", ("status", "strategy"), "executions that have not ended")
APPROVALS_WAITING = _gauge("approvals.waiting", "approvals", (), "stages that wait for an approval")
APPROVALS_OLDEST = _gauge("approvals.oldest_seconds", "s", (), "how long the oldest of them has waited")
ATTENTION = _gauge("attention", "executions", ("code",), "executions that something keeps from going on, by what")
LAG_ROWS = _gauge("relay.lag_rows", "events", (), "events that are committed and not in Kafka yet")
LAG_SECONDS = _gauge("relay.lag_seconds", "s", (), "the age of the oldest of them")
PARKED = _gauge("relay.parked", "events", (), "events that Kafka rejects, and that wait for a person to release them")

STARTED = _counter("execution.started", "executions", _OF_STRATEGY, "executions that were started")
ENDED = _counter("execution.ended", "executions", ("status", "strategy"), "executions that ended, by how")
ROLLBACKS = _counter("rollback.started", "rollbacks", _OF_STRATEGY, "rollbacks that began, by themselves or by command")
FAILED_CHECKS = _counter("check.failed", "checks", ("check",), "pre-upgrade checks that failed")
FAILED_INSTANCES = _counter("instance.failed", "instances", _OF_STRATEGY, "instances that failed, each time they did")

EXECUTION_TIME = _timer("execution.duration", ("status", "strategy"), "from the start of an execution to its end")
BATCH_TIME = _timer("batch.duration", ("kind", "strategy"), "from a batch's first instance to its last")
INSTANCE_TIME = _timer("instance.duration", ("status", "strategy"), "from an instance's first drain to its end")
APPROVAL_TIME = _timer("approval.duration", ("decision",), "from the question before a stage to the decision")

METRICS: tuple[Metric, ...] = (
    EXECUTIONS,
    APPROVALS_WAITING,
    APPROVALS_OLDEST,
    ATTENTION,
    LAG_ROWS,
    LAG_SECONDS,
    PARKED,
    STARTED,
    ENDED,
    ROLLBACKS,
    FAILED_CHECKS,
    FAILED_INSTANCES,
    EXECUTION_TIME,
    BATCH_TIME,
    INSTANCE_TIME,
    APPROVAL_TIME,
)
