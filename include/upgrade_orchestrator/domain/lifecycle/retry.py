"""Which instances a retry of an ended upgrade takes on (specification section 1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from upgrade_orchestrator.domain.checks.checks import Findings
from upgrade_orchestrator.domain.execution.execution import Execution, Strategy
from upgrade_orchestrator.domain.instance.fleet import Fleet, FleetInstance
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.instance.names import named

OTHERWISE = "to go back, revert it (POST /upgrades/{id}/revert), to go on, create a new upgrade"
"What else is possible with an upgrade of which nothing is left to retry."


@dataclass(frozen=True, slots=True)
class RetryInstances:
    """The instances to retry, in the fleet's order; ``previous`` has their versions before the ended upgrade."""

    instances: tuple[FleetInstance, ...]
    previous: Mapping[str, str | None]
    findings: Findings


def remainder_of(execution: Execution, rows: Sequence[Instance], fleet: Fleet) -> RetryInstances:
    """The instances that ``execution`` with its ``rows`` did not bring to the target version, as ``fleet`` is now.

    These are the ones that it did not complete, and completed ones that are at another version, down or unhealthy by
    now. BLUE_GREEN replaces the serving pool as a whole: if one instance is not at the target, all are retried.
    Nothing to retry is a blocker; an instance that is no longer in the fleet is left out with a warning.
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
    there = found.is_well_at(row.to_version) if row.drained_before else _is_there(found, row.to_version)
    return row.status is InstanceStatus.COMPLETED and there


def _is_there(found: FleetInstance, version: str) -> bool:
    return found.runs(version) and found.healthy


def _left(
    instances: tuple[FleetInstance, ...], rows: Mapping[str, Instance], to_version: str, gone: Sequence[str]
) -> RetryInstances:
    previous = {each.instance_id: _previous(each, rows.get(each.instance_id), to_version) for each in instances}
    still = "that is still in the fleet " if gone else ""
    blockers = () if instances else (f"nothing is left to retry: every instance {still}completed",)
    warnings = (f"left out, not in the fleet any more: {named(gone)}",) if gone else ()
    return RetryInstances(instances, previous, Findings(blockers, warnings))


def _previous(found: FleetInstance, row: Instance | None, to_version: str) -> str | None:
    """The version to roll back to; for an instance at the target version, the one that it ran before the upgrade."""
    return row.from_version if row is not None and found.version == to_version else found.version
