"""What a rollback undoes and in which order (contract section 4, "Rollback")."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from include.upgrades.domain.instance import TOUCHED, Instance, InstanceStatus


@dataclass(frozen=True, slots=True)
class RollbackPlan:
    """Instances to revert, newest first, in batches of ``batch_size``; empty when there is nothing to revert."""

    batches: tuple[tuple[str, ...], ...]

    @property
    def instances(self) -> tuple[str, ...]:
        """All of them in order."""
        return tuple(each for batch in self.batches for each in batch)


def plan_rollback(instances: Iterable[Instance], batch_size: int) -> RollbackPlan:
    """Every touched instance, the one begun last first."""
    touched = newest_first([each for each in instances if _is_touched(each)])
    ids = tuple(each.instance_id for each in touched)
    return RollbackPlan(tuple(ids[start : start + batch_size] for start in range(0, len(ids), batch_size)))


def _is_touched(instance: Instance) -> bool:
    # Draining for its second try: the first one may have left it at the target version, or at none.
    second_try = instance.status is InstanceStatus.DRAINING and instance.attempts > 1
    return second_try or instance.status in TOUCHED


def newest_first(instances: Sequence[Instance]) -> list[Instance]:
    """The instances by the reverse of the order in which work on them began."""
    return sorted(instances, key=_begun, reverse=True)


def _begun(instance: Instance) -> tuple[float, int, int]:
    started = instance.started_at.timestamp() if instance.started_at else 0.0
    return started, instance.batch, instance.position
