"""What is left of an ended upgrade, and so what a retry of it takes on (contract section 1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from upgrade_orchestrator.domain.checks.checks import Findings
from upgrade_orchestrator.domain.execution.execution import Execution, Strategy
from upgrade_orchestrator.domain.instance.fleet import Fleet, FleetInstance
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus


@dataclass(frozen=True, slots=True)
class Left:
    """The instances in the fleet's order, ``previous`` their versions before the ended upgrade touched them."""

    instances: tuple[FleetInstance, ...]
    previous: Mapping[str, str]
    findings: Findings


def left_of(execution: Execution, rows: Sequence[Instance], fleet: Fleet) -> Left:
    """What ``execution`` with its ``rows`` did not bring to the target version, as ``fleet`` is now.

    Those that it did not complete, and those that it did and that are not there any more: of another version, down or
    unhealthy. BLUE_GREEN replaces the pool that serves as one, so that one instance which is not there is all of them.
    Nothing left is a blocker; an instance that is in the fleet no more is left out with a warning.
    """
    known = {row.instance_id: row for row in rows}
    if execution.request.strategy is Strategy.BLUE_GREEN:
        there = all(_is_there(each, execution.to_version) for each in fleet.serving())
        return _left(() if there else fleet.serving(), known, execution.to_version, ())
    planned = [each for each in fleet.serving() if each.instance_id in known]
    gone = sorted(known.keys() - {each.instance_id for each in planned})
    wanted = (each for each in planned if not _is_done(known[each.instance_id], each))
    return _left(tuple(wanted), known, execution.to_version, gone)


def _is_done(row: Instance, found: FleetInstance) -> bool:
    return row.status is InstanceStatus.COMPLETED and _is_there(found, row.to_version)


def _is_there(found: FleetInstance, version: str) -> bool:
    return found.runs(version) and found.healthy


def _left(
    instances: tuple[FleetInstance, ...], rows: Mapping[str, Instance], to_version: str, gone: Sequence[str]
) -> Left:
    previous = {each.instance_id: _previous(each, rows.get(each.instance_id), to_version) for each in instances}
    still = "that is still in the fleet " if gone else ""
    blockers = () if instances else (f"nothing is left to retry: every instance {still}completed",)
    warnings = (f"left out, not in the fleet any more: {', '.join(gone)}",) if gone else ()
    return Left(instances, previous, Findings(blockers, warnings))


def _previous(found: FleetInstance, row: Instance | None, to_version: str) -> str:
    """One that failed at the target version goes back to what it ran before: back to itself would heal nothing."""
    return row.from_version if row is not None and found.version == to_version else found.version
