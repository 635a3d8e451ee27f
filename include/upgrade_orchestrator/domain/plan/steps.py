"""The steps of an upgrade: what is done after what, whoever does it (contract section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from upgrade_orchestrator.domain.plan.plan import BatchKind, Plan

HOP_SECONDS = 4.0
"""How long it takes from the end of a task until the next one runs in the triggerer, at the most while all is well:
what is due sooner is not left to the next task."""


class Work(StrEnum):
    """What a task does; each may be done again at any time, by anybody."""

    BATCH = "batch"
    MONITOR = "monitor"
    JUDGEMENT = "judgement"
    CHECK_GREEN = "check-green"
    SWITCH_TRAFFIC = "switch-traffic"
    SOAK = "soak"
    RETIRE_BLUE = "retire-blue"
    VERIFY = "verify"
    REVERT = "revert"
    CONFIRM = "confirm"
    END = "end"
    FOLLOW = "follow"


@dataclass(frozen=True, slots=True)
class Step:
    """Work on a batch or stage, by its number; what is not of a batch has the number of the one before it.

    ``last``: of the batches that are one piece of work with it.
    """

    work: Work
    batch: int = 1
    last: int = 0

    def __post_init__(self) -> None:
        if self.last < self.batch:
            object.__setattr__(self, "last", self.batch)


_AFTER_BATCH: dict[BatchKind, tuple[Work, ...]] = {
    BatchKind.CANARY: (Work.MONITOR,),
    BatchKind.GREEN: (Work.CHECK_GREEN, Work.SWITCH_TRAFFIC, Work.SOAK, Work.RETIRE_BLUE),
}
WAITS = frozenset({Work.MONITOR, Work.SOAK})
"Steps that take their time: a person's, or that of a soak."
BRANCHES = frozenset({Work.REVERT, Work.CONFIRM, Work.END})
"The last of a run that has left the way forward: nothing follows them."


def steps_of(plan: Plan) -> list[Step]:
    """All steps on the way forward, in their order, the verification last."""
    kinds = {each.number: each.kind for each in plan.batches}
    found: list[Step] = []
    for first, last in chains(list(kinds.items()), plan.batch_delay_seconds):
        found.append(Step(Work.BATCH, first, last))
        found.extend(Step(work, last) for work in _AFTER_BATCH.get(kinds[first], ()))
    return [*found, Step(Work.VERIFY, plan.batches[-1].number)]


def steps_after(plan: Plan, step: Step) -> list[Step]:
    """What follows ``step``. Of a piece of work that was done in part, its rest is the first."""
    steps = steps_of(plan)
    for index, each in enumerate(steps):
        if each.work is step.work and each.batch <= step.last <= each.last:
            rest = [Step(each.work, step.last + 1, each.last)] if step.last < each.last else []
            return [*rest, *steps[index + 1 :]]
    return []


def chains(batches: Sequence[tuple[int, str]], delay_seconds: float) -> list[tuple[int, int]]:
    """The numbers of the first and the last batch of each piece of work: no delay worth a task is within it.

    ``batches`` are numbers and kinds in their order.
    """
    found: list[tuple[int, int]] = []
    for (_, before), (number, kind) in pairwise([(0, ""), *batches]):
        if before == kind == BatchKind.BATCH and delay_seconds < HOP_SECONDS:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found
