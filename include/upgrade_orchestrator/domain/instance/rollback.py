"""Which instances a rollback reverts, in which order, and its rows (specification section 4, "Rollback")."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from upgrade_orchestrator.domain.instance.instance import ROLLBACK_BATCH, TOUCHED, Instance, InstanceStatus, move


def is_touched(instance: Instance) -> bool:
    """True when a rollback has to revert the instance, or has begun to; what is gone cannot be reverted."""
    if instance.gone:
        return False
    if instance.revert is not None:
        return True
    # Draining for its second try: the first one may have left it at the target version, or without any.
    second_try = instance.status is InstanceStatus.DRAINING and instance.attempts > 1
    return second_try or instance.status in TOUCHED


def touched(rows: Sequence[Instance]) -> list[Instance]:
    """Every touched instance, the most recently begun first."""
    return sorted((each for each in rows if is_touched(each)), key=_begun, reverse=True)


def to_revert(rows: Sequence[Instance]) -> list[Instance]:
    """The touched instances that can be reverted: the version that each ran before is known."""
    return [each for each in touched(rows) if each.from_version is not None]


def _begun(instance: Instance) -> tuple[float, int, int]:
    started = instance.started_at.timestamp() if instance.started_at else 0.0
    return started, instance.batch, instance.position


def rows_of_rollback(rows: Sequence[Instance], known: Collection[str]) -> list[Instance]:
    """The rollback's row, back to its previous version, for each touched instance that has none in ``known``.

    An instance without a known previous version has none: it stays as it is.
    """
    return [
        Instance(
            each.instance_id,
            batch=ROLLBACK_BATCH,
            position=position,
            status=InstanceStatus.PENDING,
            from_version=each.to_version,
            to_version=each.from_version,
        )
        for position, each in enumerate(touched(rows))
        if each.instance_id not in known and each.from_version is not None
    ]


def reverted(row: Instance, revert: Instance, now: datetime) -> Instance:
    """The instance's row updated from its row in the rollback; ROLLED_BACK once that is COMPLETED."""
    if revert.status is InstanceStatus.COMPLETED and row.status is not InstanceStatus.ROLLED_BACK:
        row = move(row, InstanceStatus.ROLLED_BACK, now)
    return replace(
        row,
        revert=None if revert.status is InstanceStatus.PENDING else revert.status,
        healthy=revert.healthy,
        last_health_at=revert.last_health_at,
        error=revert.error,
    )
