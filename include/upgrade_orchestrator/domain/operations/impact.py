"""The impact of a command, described before it is given, from the plan and the state of its instances."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from upgrade_orchestrator.domain.approval.approval import Approval
from upgrade_orchestrator.domain.execution.commands import Command
from upgrade_orchestrator.domain.execution.execution import Execution, Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.instance.rollback import is_touched
from upgrade_orchestrator.domain.plan.plan import Plan

N = InstanceStatus


@dataclass(frozen=True, slots=True)
class ImpactInput:
    """Everything that the impact is computed from."""

    execution: Execution
    plan: Plan
    rows: Sequence[Instance]
    awaits: Approval | None

    def count(self, *statuses: InstanceStatus) -> int:
        """The number of rows in one of these statuses."""
        return sum(each.status in statuses for each in self.rows)

    @property
    def in_flight(self) -> int:
        """The number of instances in flight."""
        return sum(each.in_flight for each in self.rows)


def impact_of(command: Command, given: ImpactInput) -> list[str]:
    """The impact as sentences, with exact numbers."""
    return [each for each in _IMPACTS[command](given) if each]


def _start(at: ImpactInput) -> list[str]:
    plan, execution = at.plan, at.execution
    return [
        "The checks run first; nothing is touched before they have passed.",
        f"Then {_instances(len(plan.instances))} go to {execution.to_version}, {execution.request.strategy.value},"
        f" in {_batches(len(plan.batches))}.",
        f"The {_count(len(plan.canary), 'canary', 'canaries')} first: {_named(plan.canary)}." if plan.canary else "",
    ]


def _pause(at: ImpactInput) -> list[str]:
    return [
        _stays(at),
        _finishes(at),
        _not_begun(at, "until you resume"),
        "Delays and time-outs do not run meanwhile.",
    ]


def _resume(at: ImpactInput) -> list[str]:
    back = at.execution.paused_from or ExecutionStatus.IN_PROGRESS
    return [
        f"It continues in {back.value}: {_instances(at.count(N.PENDING))} are still to be upgraded.",
        _finishes(at),
    ]


def _cancel(at: ImpactInput) -> list[str]:
    untouched = at.count(N.PENDING) == len(at.rows)
    if untouched:
        return [f"Nothing was touched: all {_instances(len(at.rows))} stay on the versions that they run."]
    return [
        _stays(at),
        _finishes(at, "; draining instances are put back into service"),
        _not_begun(at, "and will not be"),
        f"{_instances(at.count(N.FAILED))} failed and stay as they are." if at.count(N.FAILED) else "",
        "The deployment is left with mixed versions. A revert or a retry makes a new execution.",
    ]


def _promote(at: ImpactInput) -> list[str]:
    rest, batches = at.count(N.PENDING), len(at.plan.batches) - 1
    promoted = [
        f"{_instances(rest)} that still run the old version are upgraded to {at.execution.to_version}"
        f" in {_batches(batches)}; the {_count(len(at.plan.canary), 'canary stays', 'canaries stay')}.",
    ]
    if at.execution.canary.healthy is False:
        return [*promoted, "The canaries were NOT healthy at the last poll: the others will most likely fail too."]
    return [*promoted, "The canaries are polled once more first; if one is not healthy, nothing is promoted."]


def _rollback(at: ImpactInput) -> list[str]:
    begun = [each for each in at.rows if not each.gone and (is_touched(each) or each.in_flight)]
    gone = sum(each.gone for each in at.rows)
    if not begun and not gone:
        return ["Nothing was touched yet: the execution is ROLLED_BACK at once."]
    switches = at.plan.strategy is Strategy.BLUE_GREEN  # back to the old pool, whatever it runs
    back = [each for each in begun if switches or each.from_version is not None or not is_touched(each)]
    unknown, untouched = len(begun) - len(back), len(at.rows) - len(begun) - gone
    kinds = f" ({_kinds(back)})" if back else ""
    return [
        f"{len(back)} of {_instances(len(at.rows))} {_go(len(back))} back to the version that each ran before, newest"
        f" first{kinds}.",
        f"{_instances(unknown)}, of which the version before is unknown, {_cannot(unknown)}: the rollback will be"
        " FAILED."
        if unknown
        else "",
        f"{_instances(untouched)} {_are(untouched)} not touched." if untouched else "",
        f"{_instances(gone)} {_are(gone)} gone from the fleet." if gone else "",
        "A rollback has no delay and no approval, and cannot itself be rolled back.",
    ]


def _approve(at: ImpactInput) -> list[str]:
    stage = at.awaits.stage if at.awaits is not None else 0
    names = next((each.instances for each in at.plan.batches if each.number == stage), ())
    return [
        f"Stage {stage} of {len(at.plan.batches)} begins: {_instances(len(names))} go to {at.execution.to_version}.",
        f"It is checked first whether the stage can run. {_so_far(at)}",
    ]


def _reject(at: ImpactInput) -> list[str]:
    if at.execution.request.auto_rollback_enabled:
        return ["The stage does not begin and the upgrade is rolled back (automatic rollback is on).", *_rollback(at)]
    return ["The stage does not begin and the upgrade is cancelled (automatic rollback is off).", *_cancel(at)]


def _retry(at: ImpactInput) -> list[str]:
    left = len(at.rows) - at.count(N.COMPLETED)
    return [
        f"A new execution is made for what did not complete: {_instances(left)}, if they are still in the fleet.",
        "It is PENDING until you start it.",
    ]


def _revert(at: ImpactInput) -> list[str]:
    begun = [each for each in at.rows if not each.gone and each.status not in (N.PENDING, N.ROLLED_BACK)]
    back = [each for each in begun if each.from_version is not None]
    unknown, untouched = len(begun) - len(back), len(at.rows) - len(begun)
    plan = at.plan
    pool = plan.strategy is Strategy.BLUE_GREEN
    how = "with a second pool and one switch" if pool else f"in batches of {plan.batch_size}"
    how = "all at once" if plan.strategy is Strategy.RECREATE else how
    return [
        f"A new execution is made: {len(back)} of {_instances(len(at.rows))} {_go(len(back))} back"
        f" {_ways(back)}, {how}, if they are not there already.",
        "It has the same checks, but path, target and backup only warn; it has no canaries and no approvals.",
        f"{_instances(unknown)}, of which the version before is unknown, {_cannot(unknown)}." if unknown else "",
        f"{_instances(untouched)} {_are(untouched)} on the version before." if untouched else "",
        "What this one has retried goes back too." if at.execution.retry_of else "",
        "It is PENDING until you start it.",
    ]


def _ways(rows: Sequence[Instance]) -> str:
    """From which version to which, the most frequent way first; others are only counted."""
    counts = Counter((each.to_version, each.from_version) for each in rows)
    (start, end), most = counts.most_common(1)[0] if counts else (("", ""), 0)
    others = len(rows) - most
    more = f" ({most}) and to other versions ({others})" if others else ""
    return f"from {start} to {end}{more}" if counts else "to the version before"


def _release(at: ImpactInput) -> list[str]:
    flying = at.in_flight
    return [
        "Nothing is finished, undrained or looked at any more: what is recorded counts. The next upgrade may begin.",
        f"{flying} in flight {_are(flying)} given up as failed, on an unknown version." if flying else "",
        "An order that is still under way to the fleet is refused once the next upgrade has given its first one.",
    ]


_IMPACTS: dict[Command, Callable[[ImpactInput], list[str]]] = {
    Command.START: _start,
    Command.PAUSE: _pause,
    Command.RESUME: _resume,
    Command.CANCEL: _cancel,
    Command.PROMOTE: _promote,
    Command.ROLLBACK: _rollback,
    Command.APPROVE: _approve,
    Command.REJECT: _reject,
    Command.RETRY: _retry,
    Command.REVERT: _revert,
    Command.RELEASE: _release,
}


def _stays(at: ImpactInput) -> str:
    done = at.count(N.COMPLETED)
    run = "runs" if done == 1 else "run"
    stay = "stays there" if done == 1 else "stay there"
    return f"{done} of {_instances(len(at.rows))} {run} {at.execution.to_version} and {stay}."


def _finishes(at: ImpactInput, more: str = "") -> str:
    flying = at.in_flight
    return f"{flying} in flight {'finishes' if flying == 1 else 'finish'}{more}." if flying else ""


def _not_begun(at: ImpactInput, until: str) -> str:
    pending = at.count(N.PENDING)
    return f"{pending} {_are(pending)} not begun {until}." if pending else ""


def _so_far(at: ImpactInput) -> str:
    failed = at.count(N.FAILED)
    return f"So far {at.count(N.COMPLETED)} of {_instances(len(at.rows))} completed, {failed} failed."


def _kinds(rows: Sequence[Instance]) -> str:
    counts = Counter(each.status for each in rows)
    return ", ".join(f"{counts[each]} {each.value}" for each in InstanceStatus if counts[each])


def _named(names: Sequence[str], most: int = 5) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def _instances(count: int) -> str:
    return _count(count, "instance", "instances")


def _batches(count: int) -> str:
    return _count(count, "batch", "batches")


def _count(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _go(count: int) -> str:
    return "goes" if count == 1 else "go"


def _cannot(count: int) -> str:
    return "stays as it is" if count == 1 else "stay as they are"
