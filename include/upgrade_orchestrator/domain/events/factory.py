"""The data of each event, made from the values it tells of (contract section 10; docs/events.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from upgrade_orchestrator.domain.checks.checks import CheckResult
from upgrade_orchestrator.domain.events import payloads
from upgrade_orchestrator.domain.execution.events import Event
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.plan.batch import Batch


def instance_changed(before: Instance, after: Instance) -> Event:
    """An instance went from one status to another."""
    return Event.of(
        payloads.InstanceChanged(
            instance_id=after.instance_id,
            batch=after.batch,
            from_=before.status,
            to=after.status,
            from_version=after.from_version,
            to_version=after.to_version,
            attempts=after.attempts,
            revert=after.revert,
            error=after.error,
        )
    )


def batch_event(tells: type[payloads.BatchPayload], batch: Batch, instances: Sequence[Instance]) -> Event:
    """A batch has begun (``BatchStarted``), or every instance of it has come to its end (``BatchCompleted``)."""
    counts = Counter(each.status for each in instances)
    return Event.of(
        tells(
            batch=batch.number,
            kind=batch.kind,
            instances=[each.instance_id for each in instances],
            completed=counts[InstanceStatus.COMPLETED],
            failed=counts[InstanceStatus.FAILED],
        )
    )


def progress(instances: Sequence[Instance]) -> Event:
    """Counts of all instances."""
    counts = Counter(each.status for each in instances)
    completed = counts[InstanceStatus.COMPLETED]
    return Event.of(
        payloads.Progress(
            percentage=completed * 100 // len(instances),
            total=len(instances),
            pending=counts[InstanceStatus.PENDING],
            in_flight=sum(each.in_flight for each in instances),
            completed=completed,
            failed=counts[InstanceStatus.FAILED],
            rolled_back=counts[InstanceStatus.ROLLED_BACK],
        )
    )


def check_completed(result: CheckResult) -> Event:
    """A pre-upgrade check has its result."""
    return Event.of(payloads.CheckCompleted(name=result.name, status=result.status, message=result.message))
