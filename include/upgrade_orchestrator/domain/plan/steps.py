"""The steps of an upgrade in their order, and which of them are done (specification section 4)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil, inf

from upgrade_orchestrator.domain.execution.execution import Execution, Strategy
from upgrade_orchestrator.domain.execution.states import MAY_START, ExecutionStatus
from upgrade_orchestrator.domain.plan.batch import Batch, Phase
from upgrade_orchestrator.domain.plan.plan import BatchKind, Plan

TASK_START_SECONDS = 4.0
"""Usual upper bound of the time from the end of a task until the next one runs in the triggerer. Batches with a
shorter delay between them are run by one task."""
MOST_GROUPS = 100
"""The number of task groups that the batches of a DAG have at most: its size is paid for by each parse and each task
(docs/adr/0036-a-dag-has-a-bounded-size.md). Of more batches, several in a row share a group and a task."""


class StepKind(StrEnum):
    """The work of a task; each kind is idempotent and may be repeated at any time by any process.

    The order of the members is the order of an upgrade's steps around one batch.
    """

    VALIDATE = "validate"
    "Run the pre-upgrade checks and admit the execution."
    APPROVAL = "approval"
    "Request the approval of a stage and wait for the decision."
    BATCH = "batch"
    "Upgrade the instances of one batch, or of several batches that the same task runs."
    MONITOR = "monitor"
    "Poll the canaries until they are promoted or rolled back."
    CHECK_GREEN = "check-green"
    "Wait until the new pool is complete and healthy."
    SWITCH_TRAFFIC = "switch-traffic"
    "Switch the traffic to the new pool."
    SOAK = "soak"
    "Wait until the new pool has been healthy under the traffic for the soak."
    RETIRE_BLUE = "retire-blue"
    "Remove the old pool."
    VERIFY = "verify"
    "Verify the whole fleet; sets the execution to COMPLETED or FAILED."
    WAIT_FOR_ANSWER = "wait-for-answer"
    "Wait until an answer given in Airflow's UI is applied; ends also when the answer does not count."
    REVERT = "revert"
    "Roll back every touched instance."
    CONFIRM = "confirm"
    "Set the execution to ROLLED_BACK, or to FAILED if an instance could not be reverted."
    END = "end"
    "Finish what a stopped upgrade has in flight, and settle it."
    WAIT_FOR_END = "wait-for-end"
    "Wait until another DAG's execution is terminal (the DAG that requests upgrades)."


@dataclass(frozen=True, slots=True)
class Step:
    """A step of an upgrade. ``batch`` is the number of its batch or stage.

    For a step without a batch (VERIFY, MONITOR …) it is the number of the batch before it. ``last`` is the last batch
    that the same task runs.
    """

    kind: StepKind
    batch: int = 1
    last: int = 0

    def __post_init__(self) -> None:
        if self.last < self.batch:
            object.__setattr__(self, "last", self.batch)

    @property
    def sort_key(self) -> tuple[float, int]:
        """The sort key of the step in the order of the steps."""
        return inf if self.kind is StepKind.VERIFY else self.last, _WITHIN_BATCH.index(self.kind)


_AFTER_BATCH: dict[BatchKind, tuple[StepKind, ...]] = {
    BatchKind.CANARY: (StepKind.MONITOR,),
    BatchKind.GREEN: (StepKind.CHECK_GREEN, StepKind.SWITCH_TRAFFIC, StepKind.SOAK, StepKind.RETIRE_BLUE),
}
_WITHIN_BATCH = list(StepKind)
WAITS = frozenset({StepKind.APPROVAL, StepKind.MONITOR, StepKind.SOAK})
"Steps that wait for a person or for a soak."


def steps_of(plan: Plan) -> list[Step]:
    """All steps of an upgrade without its rollback, in order: the checks first, the verification last."""
    kinds = {each.number: each.kind for each in plan.batches}
    found = [Step(StepKind.VALIDATE, 0)]
    for first, last in batches_per_task(batch_groups(list(kinds.items())), plan.batch_delay_seconds):
        if plan.strategy is Strategy.STAGED and first > 1:
            found.append(Step(StepKind.APPROVAL, first))
        found.append(Step(StepKind.BATCH, first, last))
        found.extend(Step(kind, last) for kind in _AFTER_BATCH.get(kinds[first], ()))
    return [*found, Step(StepKind.VERIFY, plan.batches[-1].number)]


def batch_groups(batches: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """Number and kind of the first batch of each task group, at most ``MOST_GROUPS``; the last batch has its own.

    ``batches`` are numbers and kinds in order. A group ends where the next one begins, so up to ``MOST_GROUPS`` batches
    are their own groups.
    """
    alone = [each for each in batches if each[1] != BatchKind.BATCH]
    rest = batches[len(alone) :]
    if len(batches) <= MOST_GROUPS or not rest:
        return list(batches)  # stages are limited at create: each but the first needs an approval
    size = ceil((len(rest) - 1) / (MOST_GROUPS - len(alone) - 1))
    return [*alone, *rest[:-1:size], rest[-1]]


def batches_per_task(groups: Sequence[tuple[int, str]], delay_seconds: float) -> list[tuple[int, int]]:
    """The numbers of the first and the last batch that one task runs: short delays do not need a task of their own.

    ``groups`` are those of ``batch_groups``.
    """
    found: list[tuple[int, int]] = []
    ends = [number - 1 for number, _ in groups[1:]] + [number for number, _ in groups[-1:]]
    for (_, before), (number, kind), end in zip([(0, ""), *groups], groups, ends, strict=False):
        if before == kind == BatchKind.BATCH and delay_seconds < TASK_START_SECONDS:
            found[-1] = (found[-1][0], end)
        else:
            found.append((number, end))
    return found


@dataclass(frozen=True, slots=True)
class StepProgress:
    """Which steps are done, according to the rows; ``approved`` are the numbers of the approved stages."""

    execution: Execution
    batches: Sequence[Batch]
    approved: Collection[int] = ()

    def open_steps(self, plan: Plan) -> list[Step]:
        """The steps of ``plan`` that are not done, in order; none once the execution is COMPLETED."""
        if self.execution.status is ExecutionStatus.COMPLETED:
            return []
        return [left for each in steps_of(plan) if (left := self._left_of(each)) is not None]

    def required_for(self, step: Step, plan: Plan) -> list[Step]:
        """What has to be done for ``step``: each open step before it, and the open part of itself.

        In a rollback, and once the execution is terminal, earlier steps do not count: only what is in flight for this
        step is finished.
        """
        status = self.execution.status
        if status is ExecutionStatus.COMPLETED:
            return []
        if status not in _FORWARD:
            left = self._left_of(step)
            return [] if left is None else [left]
        return [part for each in self.open_steps(plan) if (part := _up_to(each, step)) is not None]

    def following(self, step: Step, plan: Plan) -> list[Step]:
        """The open steps after ``step``; if it was done in part, its remaining batches come first."""
        return [part for each in self.open_steps(plan) if (part := _after(each, step)) is not None]

    def _left_of(self, step: Step) -> Step | None:
        match step.kind:
            case StepKind.VALIDATE:
                return step if self.execution.status is ExecutionStatus.VALIDATING else None
            case StepKind.APPROVAL:
                return None if step.batch in self.approved else step
            case StepKind.MONITOR:
                return None if self.execution.canary.promoted_at is not None else step
            case StepKind.BATCH:
                return self._left_of_batches(step)
        after = _PHASE_AFTER.get(step.kind)
        return None if after is not None and self.batches[0].phase.reached(after) else step

    def _left_of_batches(self, step: Step) -> Step | None:
        open_ = [each.number for each in self.batches if each.completed_at is None]
        left = [number for number in open_ if step.batch <= number <= step.last]
        return replace(step, batch=left[0]) if left else None


_PHASE_AFTER = {
    StepKind.CHECK_GREEN: Phase.SWITCH,
    StepKind.SWITCH_TRAFFIC: Phase.SOAK,
    StepKind.SOAK: Phase.RETIRE,
    StepKind.RETIRE_BLUE: Phase.DONE,
}
"The phase of a new pool in which the step is done."
_FORWARD = MAY_START | {ExecutionStatus.VALIDATING, ExecutionStatus.CANARY_MONITORING, ExecutionStatus.PAUSED}


def _up_to(each: Step, step: Step) -> Step | None:
    """``each`` as far as it does not come after ``step``."""
    if each.kind is step.kind is StepKind.BATCH and each.batch <= step.last < each.last:
        return replace(each, last=step.last)
    return each if each.sort_key <= step.sort_key else None


def _after(each: Step, step: Step) -> Step | None:
    """``each`` as far as it comes after ``step``."""
    if each.kind is step.kind is StepKind.BATCH and each.batch <= step.last < each.last:
        return replace(each, batch=step.last + 1)
    return each if each.sort_key > step.sort_key else None
