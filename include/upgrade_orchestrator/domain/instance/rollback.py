"""What a rollback undoes and in which order (contract section 4, "Rollback")."""

from __future__ import annotations

from collections.abc import Sequence

from upgrade_orchestrator.domain.instance.instance import TOUCHED, Instance, InstanceStatus


def to_revert(rows: Sequence[Instance]) -> list[Instance]:
    """Every touched instance, the one begun last first."""
    return newest_first([each for each in rows if is_touched(each)])


def is_touched(instance: Instance) -> bool:
    """True when a rollback has to look at the instance, or has done so."""
    if instance.revert is not None:
        return True
    # Draining for its second try: the first one may have left it at the target version, or at none.
    second_try = instance.status is InstanceStatus.DRAINING and instance.attempts > 1
    return second_try or instance.status in TOUCHED


def newest_first(instances: Sequence[Instance]) -> list[Instance]:
    """The instances by the reverse of the order in which work on them began."""
    return sorted(instances, key=_begun, reverse=True)


def _begun(instance: Instance) -> tuple[float, int, int]:
    started = instance.started_at.timestamp() if instance.started_at else 0.0
    return started, instance.batch, instance.position
