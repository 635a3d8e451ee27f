"""The settlement of an ended execution: its final count by version, and its last event (specification section 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from upgrade_orchestrator.domain.execution.commands import SYSTEM
from upgrade_orchestrator.domain.execution.events import Event, Settled
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.instance.fleet import UNKNOWN, Fleet, counted
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus, move


@dataclass(frozen=True, slots=True)
class FinalCount:
    """How many instances run which version in the end.

    ``fleet_seen`` is False when the rows were counted; ``unseen`` is then why the fleet could not be.
    """

    versions: Mapping[str, int]
    fleet_seen: bool = False
    unseen: str | None = None

    @classmethod
    def of_fleet(cls, fleet: Fleet) -> FinalCount:
        """The instances that serve, as the fleet reports them."""
        return cls(counted(each.version for each in fleet.serving()), fleet_seen=True)

    @classmethod
    def of_rows(cls, rows: Sequence[Instance], unseen: str | None = None) -> FinalCount:
        """By what the execution has recorded; what failed or was in flight may run either version."""
        return cls(counted(_version(each) for each in rows if not each.gone), unseen=unseen)

    def mixed(self, version: str | None) -> Mapping[str, int] | None:
        """The counts, or None when all of them are on ``version``."""
        return None if self.versions.keys() == {version} else self.versions

    def __str__(self) -> str:
        return ", ".join(
            f"{count} {version if version == UNKNOWN else f'on {version}'}" for version, count in self.versions.items()
        )


def _version(row: Instance) -> str:
    if row.in_flight or InstanceStatus.FAILED in (row.status, row.revert):
        return UNKNOWN
    return row.to_version if row.status is InstanceStatus.COMPLETED else row.from_version or UNKNOWN


def settled(execution: Execution, count: FinalCount, now: datetime, by: str = SYSTEM.name) -> tuple[Execution, Event]:
    """The terminal execution with its place free, and the last event of its work; ``by`` released it, or the system.

    The status reason then says the final count too.
    """
    reason = execution.status_reason
    if count.unseen is not None:
        reason = f"{reason}; {count.unseen}; by the record {count}"
    elif str(count) not in reason:
        reason = f"{reason}; in the end {count}"
    moved = replace(execution, status_reason=reason, settled_at=now, attention=None)
    end = Settled(
        status=moved.status,
        reason=reason,
        versions=count.versions,
        fleet_seen=count.fleet_seen,
        settled_by=by,
    )
    return moved, end


def given_up(row: Instance, job: Instance | None, why: str, now: datetime) -> tuple[Instance, Instance | None]:
    """The instance in flight, and its row in the rollback if it has one, as FAILED: nobody works on them any more."""
    if row.revert is None:
        return move(row, InstanceStatus.FAILED, now, why), None
    left = None if job is None else move(job, InstanceStatus.FAILED, now, why)
    return replace(row, revert=InstanceStatus.FAILED, error=why), left
