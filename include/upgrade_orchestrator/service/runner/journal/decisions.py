"""What a runner decides and waits for, in words: pure functions of the decision and of what it was made by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf

from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import IN_FLIGHT, Instance, InstanceStatus
from upgrade_orchestrator.domain.instance.names import named
from upgrade_orchestrator.domain.plan.batch import (
    BatchDone,
    BatchView,
    Decision,
    NoBudgetLeft,
    StartInstances,
    Stop,
    Wait,
)
from upgrade_orchestrator.service.runner.journal.sentences import pairs
from upgrade_orchestrator.service.runner.journal.task_log import REPEATED_SECONDS


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence; ``same`` is equal for decisions that differ only in figures that change all the time.

    After ``again`` seconds it is logged once more if it is still so.
    """

    sentence: str
    same: str
    again: float = inf


def sentence_of(decision: Decision, view: BatchView, now: datetime) -> Sentence:
    """The sentence of a batch's decision at ``now``."""
    number = view.batch.number or "rollback"
    match decision:
        case StartInstances(ids):
            return _once(f"{_started(ids, view)}: {named(ids)}")
        case NoBudgetLeft(reason):
            return _once(f"{pairs('decide stop', batch=number)}: {reason}")
        case Stop(reason):
            return _once(f"{pairs('decide stop', batch=number)}: {reason}")
        case BatchDone():
            counts = {name.lower(): _count(view, InstanceStatus(name)) for name in ("COMPLETED", "FAILED")}
            return _once(pairs("decide done", batch=number, **counts))
        case Wait(seconds, blocked):
            return _waits(view, now, seconds, blocked)


def _once(sentence: str) -> Sentence:
    return Sentence(sentence, sentence)


def _started(ids: tuple[str, ...], view: BatchView) -> str:
    first = next((each for each in view.instances if each.instance_id == ids[0]), None)
    again = first is not None and first.status is InstanceStatus.FAILED
    return pairs(
        "decide again" if again else "decide start",
        batch=view.batch.number or "rollback",
        instances=len(ids),
        unavailable=len(view.unavailable),
        budget="none" if view.limits.budget is None else view.limits.budget,
    )


def _count(view: BatchView, status: InstanceStatus) -> int:
    return sum(each.status is status and each.batch == view.batch.number for each in view.instances)


def _waits(view: BatchView, now: datetime, seconds: float | None, blocked: bool) -> Sentence:
    flying = [each for each in view.instances if each.status in IN_FLIGHT]
    if view.status is ExecutionStatus.PAUSED:
        return _wait("resume", f"the execution is PAUSED, {len(flying)} in flight finish their step")
    if not view.direction.may_start(view.status):
        return _wait("in-flight", f"the execution is {view.status.value}: {_steps(flying)}")
    if view.batch.due_at is not None and now < view.batch.due_at:
        return _wait("delay", "the delay between two batches", until=view.batch.due_at)
    if flying:
        return _wait("in-flight", _steps(flying), again=REPEATED_SECONDS)
    if blocked and seconds is not None:
        why = f"no budget left, unavailable are {named(sorted(view.unavailable))}"
        return _wait("budget", why, until=now + timedelta(seconds=seconds))
    return _wait("absent", f"the fleet's list leaves out {named(sorted(view.absent))}", again=REPEATED_SECONDS)


def _wait(what: str, why: str, until: datetime | None = None, again: float = inf) -> Sentence:
    return Sentence(f"{pairs('decide wait', **{'for': what}, until=until)}: {why}", what, again)


def _steps(flying: list[Instance]) -> str:
    return named(f"{each.instance_id} {each.status.value} for {each.step_seconds:.0f} s" for each in flying)
