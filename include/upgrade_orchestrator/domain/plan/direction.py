"""Forward to the target version, or back from it: what differs between an upgrade's work and a rollback's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import Enum

from upgrade_orchestrator.domain.execution.states import UPGRADING, ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus, move
from upgrade_orchestrator.domain.instance.rollback import to_revert

I = InstanceStatus  # noqa: E741 - as in instance.py
ROLLBACK_BATCH = 0
"The number under which a rollback's work runs: one batch, newest first, under the same budget."


class Direction(Enum):
    """Which way instances are worked on; a job is an instance as seen from that way."""

    FORWARD = "FORWARD"
    BACKWARD = "BACKWARD"

    def may_start(self, status: ExecutionStatus) -> bool:
        """Whether work on another instance may begin."""
        return status in UPGRADING if self is Direction.FORWARD else status is ExecutionStatus.ROLLING_BACK

    def withdrawn(self, status: ExecutionStatus) -> bool:
        """Whether what is only drained has to go back into service."""
        if self is Direction.FORWARD:
            return status not in UPGRADING and status is not ExecutionStatus.PAUSED
        return status is not ExecutionStatus.ROLLING_BACK

    def jobs(self, rows: Sequence[Instance], status: ExecutionStatus) -> list[Instance]:
        """The rows as jobs of this direction, in the order in which they are begun."""
        if self is Direction.BACKWARD:
            return [self.job(each) for each in to_revert(rows)]
        forward = [each for each in rows if each.revert is None]
        if status is not ExecutionStatus.ROLLING_BACK:
            return forward
        # the way back takes these over as they are; waiting for them to come up first could take its whole time-out
        return [each for each in forward if each.status not in (I.UPGRADING, I.HEALTH_CHECKING)]

    def job(self, row: Instance) -> Instance:
        """A row as seen from this direction."""
        return row if self is Direction.FORWARD else _revert_job(row)

    def row(self, before: Instance, job: Instance) -> Instance:
        """The row to store for ``job``, which was made of ``before``."""
        return job if self is Direction.FORWARD else _reverted(before, job)


def _revert_job(row: Instance) -> Instance:
    """A row on its way back: its target is its own previous version."""
    begun = row.revert is not None
    return replace(
        row,
        batch=ROLLBACK_BATCH,
        status=row.revert or I.PENDING,
        from_version=row.to_version,
        to_version=row.from_version,
        attempts=row.revert_attempts,
        step_started_at=row.step_started_at if begun else None,
        accepted_at=row.accepted_at if begun else None,
        healthy_since=row.healthy_since if begun else None,
        error=row.error if begun else None,
        revert=None,
    )


def _reverted(before: Instance, job: Instance) -> Instance:
    row = replace(
        before,
        revert=None if job.status is I.PENDING else job.status,
        revert_attempts=job.attempts,
        healthy=job.healthy,
        last_health_at=job.last_health_at,
        step_started_at=job.step_started_at,
        accepted_at=job.accepted_at,
        healthy_since=job.healthy_since,
        error=job.error,
    )
    if job.status is not I.COMPLETED or job.step_started_at is None or before.status is I.ROLLED_BACK:
        return row
    return replace(move(row, I.ROLLED_BACK, job.step_started_at), revert=I.COMPLETED, healthy=job.healthy)
