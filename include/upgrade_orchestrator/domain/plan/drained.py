"""Instances that an ended upgrade left drained and that return to service (specification section 3, cancel)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from upgrade_orchestrator.domain.execution.execution import Execution, Strategy
from upgrade_orchestrator.domain.instance.fleet import Fleet
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.instance.names import named

GRACE_SECONDS = 5.0
"""How much longer than its time-out since the end a fleet that responds is ordered to undo something.

What was in flight at the end may have used up all of that time-out.
"""


def possibly_drained(execution: Execution, rows: Sequence[Instance], reverts: Sequence[Instance]) -> list[Instance]:
    """The rows whose last try, forward or backward, may have ended before the new version was set, or was withdrawn.

    Only these may have been left drained, or be drained by an order that is still under way. BLUE_GREEN drains only in
    its new pool, which does not serve.
    """
    if execution.request.strategy is Strategy.BLUE_GREEN:
        return []
    left_alone = {each.instance_id for each in rows if each.gone or _is_left_drained(execution, each)}
    last_tries = [*reverts, *(each for each in rows if each.revert is None)]
    return [
        each
        for each in last_tries
        if each.instance_id not in left_alone and (each.status is InstanceStatus.FAILED or _is_withdrawn(each))
    ]


def _is_withdrawn(row: Instance) -> bool:
    return row.status is InstanceStatus.PENDING and row.attempts > 0


def to_drain_again(execution: Execution, rows: Sequence[Instance]) -> list[Instance]:
    """The rows of instances that others had drained and that this upgrade may have put into service."""
    return [each for each in rows if _is_left_drained(execution, each) and each.attempts and not each.gone]


def _is_left_drained(execution: Execution, row: Instance) -> bool:
    return row.drained_before and not execution.request.undrain_foreign


def in_service(jobs: Sequence[Instance], fleet: Fleet) -> dict[str, str]:
    """The instances that the fleet reports as running, with that status."""
    found = {each.instance_id: fleet.find(each.instance_id) for each in jobs}
    return {name: each.status for name, each in found.items() if each is not None and each.status == "RUNNING"}


def out_of_service(jobs: Sequence[Instance], fleet: Fleet) -> dict[str, str]:
    """The instances that the fleet reports as draining or drained, with that status."""
    found = {each.instance_id: fleet.find(each.instance_id) for each in jobs}
    return {name: each.status for name, each in found.items() if each is not None and each.out_of_service}


def seconds_left(execution: Execution, now: datetime) -> float | None:
    """What is left of the time-out that the fleet has since the execution's end for all that is to be undone.

    None: the execution has not ended.
    """
    if execution.completed_at is None:
        return None
    return execution.request.health_check_timeout_seconds - (now - execution.completed_at).total_seconds()


def is_overdue(execution: Execution, now: datetime, grace: float = 0.0) -> bool:
    """Whether the fleet has had its whole time-out since the end, and ``grace`` seconds: nothing waits for it then."""
    left = seconds_left(execution, now)
    return left is not None and left + grace < 0


def naming_unseen(execution: Execution, left: Sequence[str]) -> Execution:
    """The execution with the instances that may be out of service in its status reason, added once."""
    note = f"perhaps out of service, because the fleet did not answer: {named(sorted(left))}"
    if not left or note in execution.status_reason:
        return execution
    return replace(execution, status_reason=f"{execution.status_reason}; {note}")


def naming_drained(execution: Execution, left: dict[str, str]) -> Execution:
    """The execution with the instances that are not as they should be in its status reason, added once.

    They are out of service, or in service although others had drained them.
    """
    serving = sorted(name for name, status in left.items() if status == "RUNNING")
    out = [f"{name} is {status}" for name, status in sorted(left.items()) if status != "RUNNING"]
    notes = [f"out of service: {named(out)}"] if out else []
    notes += [f"in service, although others had drained them: {named(serving)}"] if serving else []
    note = "; ".join(notes)
    if note in execution.status_reason:
        return execution
    return replace(execution, status_reason=f"{execution.status_reason}; {note}")
