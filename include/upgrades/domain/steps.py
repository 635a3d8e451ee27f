"""The steps of an upgrade: what is done after what, whoever does it (contract section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from include.upgrades.domain.plan import BatchKind, Plan, PlannedBatch

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
    """Work on a batch or stage, by its number; what is not of a batch has the number of the one before it."""

    work: Work
    batch: int = 1


_AFTER_BATCH: dict[BatchKind, tuple[Work, ...]] = {
    BatchKind.CANARY: (Work.MONITOR,),
    BatchKind.GREEN: (Work.CHECK_GREEN, Work.SWITCH_TRAFFIC, Work.SOAK, Work.RETIRE_BLUE),
}
WAITS = frozenset({Work.MONITOR, Work.SOAK})
"Steps that take their time: a person's, or that of a soak."


def steps_of(plan: Plan) -> list[Step]:
    """All steps on the way forward, in their order, the verification last."""
    steps = [step for batch in plan.batches for step in _of_batch(batch)]
    return [*steps, Step(Work.VERIFY, plan.batches[-1].number)]


def steps_after(plan: Plan, step: Step | None) -> list[Step]:
    """What follows ``step``; None: all of them."""
    steps = steps_of(plan)
    return steps if step is None else steps[steps.index(step) + 1 :]


def _of_batch(batch: PlannedBatch) -> list[Step]:
    works = (Work.BATCH, *_AFTER_BATCH.get(batch.kind, ()))
    return [Step(work, batch.number) for work in works]


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
