"""What a revert of an ended upgrade brings back, and why there may be nothing to revert (specification section 1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from upgrade_orchestrator.domain.execution.execution import Execution, Strategy, UpgradeRequest
from upgrade_orchestrator.domain.instance.fleet import Fleet, FleetInstance
from upgrade_orchestrator.domain.instance.instance import Instance
from upgrade_orchestrator.domain.instance.names import named

_IN_BATCHES = frozenset({Strategy.CANARY, Strategy.STAGED})
"The way back needs no canaries and no approvals: the version is known, and it was running."


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an ended upgrade is not reverted.

    ``newer`` is the execution that has changed the deployment since, ``see`` one to look at instead.
    """

    why: str
    newer: str | None = None
    see: str | None = None


@dataclass(frozen=True, slots=True)
class WayBack:
    """The instances to bring back, in the fleet's order, and the version of each by its id."""

    instances: tuple[FleetInstance, ...]
    targets: Mapping[str, str]
    warnings: tuple[str, ...] = ()


def refusal_of(execution: Execution, newer: str | None) -> Refusal | None:
    """Why ``execution`` is not reverted; None if it may be.

    ``newer`` is a later execution that has changed what the deployment runs: what this one recorded is outdated then.
    """
    if execution.revert_of is not None:
        forward = f"create an upgrade to go to {execution.from_version} again"
        on = f"revert {execution.revert_of} again to go on with what is left"
        return Refusal(f"it is a revert itself: {forward}, or {on}", see=execution.revert_of)
    if newer is not None:
        since = "a newer upgrade has changed the deployment since, and only the newest is reverted"
        return Refusal(f"{since}: {newer}", newer, newer)
    return None


def revert_request(of: UpgradeRequest, total: int, installed: Mapping[str, str] | None) -> UpgradeRequest:
    """The request of the revert: versions swapped, in batches under the same budget, and never rolled back by itself.

    ``installed`` None: as the upgrade's request says.
    """
    return replace(
        of,
        from_version_id=of.to_version_id,
        to_version_id=of.from_version_id,
        strategy=Strategy.ROLLING if of.strategy in _IN_BATCHES else of.strategy,
        stage_percentages=None,
        auto_rollback_enabled=False,
        total_instances=total,
        initiated_by=None,
        installed_components=of.installed_components if installed is None else installed,
    )


@dataclass(frozen=True, slots=True)
class Record:
    """What an upgrade, and those that it retries, recorded of each instance; ``touched`` are those worked on.

    Where a new pool replaces the instances (BLUE_GREEN), its instances are the touched ones.
    """

    previous: Mapping[str, str | None]
    touched: frozenset[str]

    @classmethod
    def of(cls, histories: Iterable[Sequence[Instance]]) -> Record:
        """By the rows of the upgrade and of those that it retries, newest first: the newest version that is known."""
        previous, touched = dict[str, str | None](), set[str]()
        for rows in histories:
            for row in rows:
                if previous.get(row.instance_id) is None:
                    previous[row.instance_id] = row.from_version
            touched |= touched_in(rows)
        return cls(previous, frozenset(touched))

    def and_touched(self, rows: Sequence[Instance]) -> Record:
        """The record when another upgrade, of which these are the rows, has worked on instances since."""
        return replace(self, touched=self.touched | touched_in(rows))

    def spelled(self, spell: Callable[[str], str]) -> Record:
        """The record with its versions as ``spell`` spells them."""
        known = {name: None if version is None else spell(version) for name, version in self.previous.items()}
        return replace(self, previous=known)

    @property
    def versions(self) -> frozenset[str]:
        """The versions that are known."""
        return frozenset(each for each in self.previous.values() if each is not None)


def touched_in(rows: Iterable[Instance]) -> frozenset[str]:
    """The instances that an upgrade with these rows has worked on."""
    return frozenset(each.replacement or each.instance_id for each in rows if each.attempts)


def way_back(strategy: Strategy, version: str, record: Record, fleet: Fleet) -> WayBack | Refusal:
    """What reverting an upgrade of that strategy has to bring back, as ``fleet`` is now.

    ``version`` is the one that the upgrade started from; all versions are spelled alike. These are the instances on
    another version than their previous one, and those that were worked on and that are not well now. BLUE_GREEN
    replaces the serving pool as a whole.
    """
    if strategy is Strategy.BLUE_GREEN:
        return _pool_back(version, record, fleet)
    planned = [each for each in fleet.serving() if each.instance_id in record.previous]
    targets = {name: version for name, version in record.previous.items() if version is not None}
    known = [each for each in planned if each.instance_id in targets]
    back = tuple(each for each in known if not _is_back(each, targets[each.instance_id], record))
    gone = sorted(record.previous.keys() - {each.instance_id for each in planned})
    unknown = [each.instance_id for each in planned if each.instance_id not in targets]
    notes = (
        f"left out, not in the fleet any more: {named(gone)}" if gone else "",
        f"left as they are, no previous version is recorded: {named(unknown)}" if unknown else "",
    )
    warnings = tuple(each for each in notes if each)
    return WayBack(back, targets, warnings) if back else _nothing(warnings)


def _is_back(found: FleetInstance, version: str, record: Record) -> bool:
    well = found.instance_id not in record.touched or found.is_well_at(version)
    return found.version == version and well


def _nothing(warnings: Sequence[str] = ()) -> Refusal:
    said = "nothing to revert: every instance runs the version that it ran before the upgrade"
    others = " that is in the fleet and whose previous version is recorded" if warnings else ""
    return Refusal("; ".join([said.replace("every instance", f"every instance{others}"), *warnings]))


def _pool_back(version: str, record: Record, fleet: Fleet) -> WayBack | Refusal:
    serving = fleet.serving()
    if all(_is_back(each, version, record) for each in serving):
        return _nothing()
    if record.versions != {version}:
        ran = named(sorted(record.versions)) or "versions that are not known"
        return Refusal(
            f"the instances ran {ran} before, a new pool has one version: create an upgrade to the one wanted"
        )
    return WayBack(serving, {each.instance_id: version for each in serving})
