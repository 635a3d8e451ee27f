"""The data of each event, made from the values it tells of (contract section 10; docs/events.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from include.upgrades.domain.batch import Batch
from include.upgrades.domain.checks import CheckResult
from include.upgrades.domain.events import Event, EventType
from include.upgrades.domain.instance import Instance, InstanceStatus


def instance_changed(before: Instance, after: Instance) -> Event:
    """An instance went from one status to another."""
    return Event(
        EventType.INSTANCE_CHANGED,
        {
            "instanceId": after.instance_id,
            "batch": after.batch,
            "from": before.status.value,
            "to": after.status.value,
            "fromVersion": after.from_version,
            "toVersion": after.to_version,
            "attempts": after.attempts,
            "revert": after.revert.value if after.revert else None,
            "error": after.error,
        },
    )


def batch_started(batch: Batch, instances: Sequence[Instance]) -> Event:
    """The first instance of a batch is about to be worked on."""
    return Event(EventType.BATCH_STARTED, _batch(batch, instances))


def batch_completed(batch: Batch, instances: Sequence[Instance]) -> Event:
    """Every instance of a batch has come to its end, good or bad."""
    return Event(EventType.BATCH_COMPLETED, _batch(batch, instances))


def _batch(batch: Batch, instances: Sequence[Instance]) -> dict[str, object]:
    counts = Counter(each.status for each in instances)
    return {
        "batch": batch.number,
        "kind": batch.kind,
        "instances": [each.instance_id for each in instances],
        "completed": counts[InstanceStatus.COMPLETED],
        "failed": counts[InstanceStatus.FAILED],
    }


def progress(instances: Sequence[Instance]) -> Event:
    """Counts of all instances."""
    counts = Counter(each.status for each in instances)
    completed = counts[InstanceStatus.COMPLETED]
    return Event(
        EventType.PROGRESS,
        {
            "percentage": completed * 100 // len(instances),
            "total": len(instances),
            "pending": counts[InstanceStatus.PENDING],
            "inFlight": sum(each.in_flight for each in instances),
            "completed": completed,
            "failed": counts[InstanceStatus.FAILED],
            "rolledBack": counts[InstanceStatus.ROLLED_BACK],
        },
    )


def check_completed(result: CheckResult) -> Event:
    """A pre-upgrade check has its result."""
    data = {"name": result.name.value, "status": result.status.value, "message": result.message}
    return Event(EventType.CHECK_COMPLETED, data)
