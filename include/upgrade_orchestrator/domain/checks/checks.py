"""The checks before and after an upgrade: results, and the rules on fleets (specification section 7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from upgrade_orchestrator.domain.execution.execution import Strategy, UpgradeRequest
from upgrade_orchestrator.domain.instance.fleet import Fleet, FleetInstance, named_version
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.instance.names import named
from upgrade_orchestrator.domain.plan.budget import budget_of
from upgrade_orchestrator.domain.plan.plan import WITHOUT_BUDGET, BatchKind, Plan
from upgrade_orchestrator.domain.plan.pools import Pools
from upgrade_orchestrator.domain.plan.steps import MOST_GROUPS
from upgrade_orchestrator.domain.registry.entries import ComponentVersion


class CheckName(StrEnum):
    """The pre-upgrade checks, in the order in which they are shown."""

    VERSION_COMPATIBILITY = "VERSION_COMPATIBILITY"
    RESOURCE_AVAILABILITY = "RESOURCE_AVAILABILITY"
    BACKUP_VERIFICATION = "BACKUP_VERIFICATION"
    HEALTH_ENDPOINTS = "HEALTH_ENDPOINTS"
    DEPENDENCY_CHECK = "DEPENDENCY_CHECK"


class CheckStatus(StrEnum):
    """The state of a check; WARNING lets the upgrade continue, FAILED does not."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    PASSED = "PASSED"
    FAILED = "FAILED"
    WARNING = "WARNING"


PASSING = frozenset({CheckStatus.PASSED, CheckStatus.WARNING})
OPEN = frozenset({CheckStatus.PENDING, CheckStatus.RUNNING})
"Statuses without a result yet."


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A check's result; ``message`` says what was found, what was expected and what to do."""

    name: CheckName
    status: CheckStatus
    message: str = ""
    started_at: datetime | None = None
    completed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """Problems with an upgrade: blockers prevent it, warnings are only reported."""

    blockers: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __add__(self, other: Findings) -> Findings:
        return Findings(self.blockers + other.blockers, self.warnings + other.warnings)

    def as_warnings(self) -> Findings:
        """The same findings, none of which prevents the upgrade."""
        return Findings((), self.blockers + self.warnings)


def verdict(name: CheckName, findings: Findings, passed: str) -> CheckResult:
    """FAILED with every blocker, WARNING with every warning, else PASSED with ``passed``."""
    if findings.blockers:
        return CheckResult(name, CheckStatus.FAILED, "; ".join(findings.blockers))
    if findings.warnings:
        return CheckResult(name, CheckStatus.WARNING, "; ".join(findings.warnings))
    return CheckResult(name, CheckStatus.PASSED, passed)


def size(request: UpgradeRequest, fleet: Fleet) -> Findings:
    """Blocker when the fleet is smaller than ``totalInstances``, warning when it is larger (section 2)."""
    has = len(fleet.serving())
    wants = request.total_instances if request.total_instances is not None else has
    if has == 0 or wants > has:
        todo = f"ask for at most {has}, or leave it out" if has else "is it the right fleet (PUT .../deployment)?"
        return Findings((f"totalInstances is {wants}, the fleet {fleet.name} has {has} instances: {todo}",))
    if wants < has:
        return Findings((), (f"partial fleet: {wants} of {has} instances are upgraded",))
    return Findings()


def stages(plan: Plan | None) -> Findings:
    """Blocker when a STAGED plan has more stages than a DAG has task groups: each but the first needs an approval."""
    count = sum(each.kind is BatchKind.STAGE for each in plan.batches) if plan is not None else 0
    if plan is None or count <= MOST_GROUPS:
        return Findings()
    todo = f"raise batchSize to {-(-len(plan.instances) // MOST_GROUPS)} or more, or give stagePercentages"
    return Findings((f"{count} stages need {count - 1} approvals, at most {MOST_GROUPS} stages are accepted: {todo}",))


def version_mix(source: ComponentVersion, fleet: Fleet) -> Findings:
    """Warning when instances do not run the version that the upgrade starts from."""
    others = Counter(named_version(each.version) for each in fleet.serving() if each.version != source.version)
    if not others:
        return Findings()
    found = named(f"{count} on {version}" for version, count in sorted(others.items()))
    return Findings((), (f"not all instances run {source.version}: also found {found}",))


def drained_by_others(request: UpgradeRequest, planned: Sequence[str], fleet: Fleet) -> Findings:
    """Warning when planned instances have been drained before the upgrade (section 4, "Drained by others")."""
    if request.strategy is Strategy.BLUE_GREEN:
        return Findings()
    wanted = set(planned)
    found = [each.instance_id for each in fleet.serving() if each.out_of_service and each.instance_id in wanted]
    if not found:
        return Findings()
    then = "go into service" if request.undrain_foreign else "are drained again"
    return Findings((), (f"drained by others before the upgrade: {named(found)}; they {then} once upgraded",))


def unknown_versions(instances: Sequence[FleetInstance]) -> Findings:
    """Warning about instances whose version the fleet does not tell: a rollback would not know where to."""
    unknown = [each.instance_id for each in instances if each.version is None]
    if not unknown:
        return Findings()
    return Findings((), (f"no version is reported by {named(unknown)}: these cannot be rolled back",))


def other_pools(request: UpgradeRequest, fleet: Fleet) -> Findings:
    """Warning when the fleet has a pool without traffic that this upgrade neither uses nor removes."""
    taken = Pools.for_serving(fleet.traffic).new if request.strategy is Strategy.BLUE_GREEN else fleet.traffic
    others = {each.pool for each in fleet.instances} - {fleet.traffic, taken}
    found = [f"pool {name} ({_what_is_in(name, fleet)})" for name in sorted(others)]
    if not found:
        return Findings()
    return Findings((), (f"without traffic there is also {named(found)}: this upgrade leaves it as it is",))


def _what_is_in(pool: str, fleet: Fleet) -> str:
    counts = Counter(named_version(each.version) for each in fleet.in_pool(pool))
    return named(f"{count} on {version}" for version, count in sorted(counts.items()))


def capacity(request: UpgradeRequest, total: int, fleet: Fleet, budget: int | None = None) -> Findings:
    """RESOURCE_AVAILABILITY: BLUE_GREEN needs room for a second pool, the others a budget that is not used up.

    ``budget`` None: that of ``total`` instances.
    """
    if request.strategy is Strategy.BLUE_GREEN:
        return _second_pool(total, fleet)
    missing = total - len(fleet.serving())
    if missing > 0:
        found = f"the fleet has {len(fleet.serving())} instances, {total} are to be upgraded"
        return Findings((f"{found}: bring the others back, or create an upgrade of fewer",))
    if request.strategy in WITHOUT_BUDGET:
        return Findings()
    budget = budget_of(total, request.max_unavailable_percentage) if budget is None else budget
    down = sorted(fleet.unavailable(()))
    if len(down) >= budget:
        found = f"{len(down)} instances are down ({named(down)}), the budget is {budget}"
        return Findings((), (f"{found}: until they recover only these are worked on",))
    return Findings()


def _second_pool(total: int, fleet: Fleet) -> Findings:
    """Whether a second pool of full size fits; instances that an earlier upgrade left in the new pool count as room."""
    pools = Pools.for_serving(fleet.traffic)
    wanted = pools.size(fleet, total)
    room = fleet.free_instances + len(fleet.in_pool(pools.new))
    if room >= wanted:
        return Findings()
    found = f"BLUE_GREEN needs room for {wanted} more instances, the fleet has {room}"
    return Findings((f"{found}: give it more capacity, or choose another strategy",))


def health(silent: Mapping[str, str], total: int, looks: int = 1) -> Findings:
    """HEALTH_ENDPOINTS: every instance's health endpoint responds; ``silent`` maps the others' ids to errors.

    ``looks``: how often the silent ones were asked.

    A response that says "unhealthy" passes: such instances are upgraded first.
    """
    problems = [f"{instance}: {problem}" for instance, problem in sorted(silent.items())]
    if not problems:
        return Findings()
    often = f", asked {looks} times" if looks > 1 else ""
    found = f"{len(problems)} of {total} health endpoints do not answer ({named(problems, '; ')}{often})"
    return Findings((f"{found}: check these instances and the fleet agent",))


@dataclass(frozen=True, slots=True)
class StoredObject:
    """The object found at a backup's location: size in bytes and SHA-256 (hex; None when it was not read)."""

    size_bytes: int
    sha256: str | None


def not_well(rows: Sequence[Instance], fleet: Fleet) -> dict[str, str]:
    """Post-upgrade: what the fleet shows of each instance that is not healthy at its target version (section 4)."""
    wrong = {}
    known = {each.instance_id: each for each in fleet.instances}
    for row in rows:
        found = known.get(row.instance_id)
        if found is None:
            wrong[row.instance_id] = "is not in the fleet's list"
        elif not found.is_well_at(row.to_version):
            wrong[row.instance_id] = _shown(found)
    return wrong


def _shown(found: FleetInstance) -> str:
    return f"is {found.status} at {named_version(found.version)}, {'healthy' if found.healthy else 'unhealthy'}"


def pool_verification(target_version: str, planned: Sequence[str], fleet: Fleet) -> Findings:
    """Post-upgrade of BLUE_GREEN: the serving pool replaces the planned instances, and those are removed."""
    left = [each for each in planned if fleet.find(each) is not None]
    serving = fleet.serving()
    wrong = [each for each in serving if not (each.runs(target_version) and each.healthy)]
    findings = Findings()
    if wrong:
        each_one = named((f"{each.instance_id} {_shown(each)}" for each in wrong), "; ")
        found = f"{len(wrong)} of {len(serving)} instances are not on {target_version} and healthy: {each_one}"
        findings = Findings((found,))
    if left:
        findings += Findings((f"{len(left)} of {len(planned)} instances are still there: {named(left)}",))
    if len(serving) < len(planned):
        findings += Findings((f"pool {fleet.traffic} has {len(serving)} instances, {len(planned)} are wanted",))
    return findings


def unfinished(instances: Sequence[Instance]) -> Findings:
    """Post-upgrade: the row of every instance that is not gone is COMPLETED."""
    left = [each for each in instances if each.status is not InstanceStatus.COMPLETED and not each.gone]
    if not left:
        return Findings()
    each_one = (f"{each.instance_id} {each.status.value}: {each.error or 'no error'}" for each in left)
    return Findings((f"{len(left)} of {len(instances)} instances are not COMPLETED: {named(each_one, '; ')}",))
