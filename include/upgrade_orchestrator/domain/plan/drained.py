"""What an upgrade that is over has drained and left so: to be put back into service (contract section 3, cancel)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from upgrade_orchestrator.domain.execution.execution import Execution, Strategy
from upgrade_orchestrator.domain.instance.fleet import Fleet
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus

OUT_OF_SERVICE = ("DRAINING", "DRAINED")


def may_be_left(execution: Execution, rows: Sequence[Instance], reverts: Sequence[Instance]) -> list[Instance]:
    """The rows, forward and back, with which a try may have ended before the new version was put in place.

    Only these were drained by this execution and forgotten. BLUE_GREEN drains in its new pool, which does not serve.
    """
    if execution.request.strategy is Strategy.BLUE_GREEN:
        return []
    last_tries = [*reverts, *(each for each in rows if each.revert is None)]
    return [each for each in last_tries if each.status is InstanceStatus.FAILED]


def out_of_service(jobs: Sequence[Instance], fleet: Fleet) -> dict[str, str]:
    """Those that the fleet shows as drained, with the status it shows."""
    found = {each.instance_id: fleet.find(each.instance_id) for each in jobs}
    return {name: each.status for name, each in found.items() if each is not None and each.status in OUT_OF_SERVICE}


def since_when(execution: Execution, rows: Sequence[Instance], now: datetime) -> datetime:
    """When the last of it came to its end."""
    ends = [each.completed_at for each in rows if each.completed_at is not None]
    return max([execution.completed_at or now, *ends])


def name_them(execution: Execution, left: dict[str, str]) -> Execution:
    """The execution whose reason says what is still out of service; once is enough."""
    told = f"out of service: {', '.join(f'{name} is {status}' for name, status in sorted(left.items()))}"
    if told in execution.status_reason:
        return execution
    return replace(execution, status_reason=f"{execution.status_reason}; {told}")
