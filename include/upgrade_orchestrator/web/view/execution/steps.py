"""The steps of an upgrade by its strategy, and which of them it is at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.plan.batch import Batch, Phase
from upgrade_orchestrator.domain.plan.plan import BatchKind
from upgrade_orchestrator.service.views.detail import ExecutionDetail
from upgrade_orchestrator.web.view.icons import icon
from upgrade_orchestrator.web.view.words import StatusStyle

S = ExecutionStatus

DONE = StatusStyle("done", "good", icon("check"))
NOW = StatusStyle("now", "busy", icon("play"))
LATER = StatusStyle("to come", "idle", icon("circle"))
STOPPED = StatusStyle("ended here", "bad", icon("cross"))
MISSED = StatusStyle("not reached", "idle", icon("minus"))
MOST_STAGES = 5
"Up to this many stages are a step each; more are one step together."
_BEFORE_WORK = frozenset({S.PENDING, S.VALIDATING})
_NOUNS = {BatchKind.STAGE: "Stage", BatchKind.BATCH: "Batch", BatchKind.ALL: "All instances"}
_PHASES = ((Phase.CHECK, "Check"), (Phase.SWITCH, "Switch traffic"), (Phase.SOAK, "Soak"), (Phase.RETIRE, "Retire"))


class Step(NamedTuple):
    """A step: its name, and the style that says where the upgrade is."""

    name: str
    style: StatusStyle


def steps_of(detail: ExecutionDetail) -> list[Step]:
    """The steps in order; those of a rollback follow once it has begun."""
    execution = detail.execution
    names = [("Checks", _is_admitted(detail)), *_work(detail), ("Verification", execution.status is S.COMPLETED)]
    reached, stopped, steps = True, execution.is_terminal or execution.rollback.initiated_at is not None, []
    for name, done in names:
        style = DONE if done and reached else _ahead(execution, reached, stopped)
        reached = reached and done
        steps.append(Step(name, style))
    return [*steps, *_rollback(execution)]


def _ahead(execution: Execution, reached: bool, stopped: bool) -> StatusStyle:
    if stopped:
        return STOPPED if reached else MISSED
    return NOW if reached and execution.status is not S.PENDING else LATER


def _is_admitted(detail: ExecutionDetail) -> bool:
    if detail.execution.status in _BEFORE_WORK:
        return False
    # an upgrade that ended while its checks ran has not begun any batch
    return not detail.execution.is_terminal or any(each.started_at for each in detail.batches)


def _work(detail: ExecutionDetail) -> Iterator[tuple[str, bool]]:
    rows = {each.number: each for each in detail.batches}
    for kind, found in groupby(detail.plan.batches, key=lambda each: each.kind):
        numbers = [each.number for each in found]
        if kind is BatchKind.CANARY:
            yield "Canary", _ended(numbers, rows)
            yield "Monitoring and promotion", detail.execution.canary.promoted_by is not None
        elif kind is BatchKind.GREEN:
            yield from _pools(rows.get(numbers[0]))
        elif kind is BatchKind.STAGE and len(numbers) <= MOST_STAGES:
            for each in numbers:
                yield f"Stage {each}" if each == 1 else f"Approval and stage {each}", _ended([each], rows)
        else:
            yield _named(kind, numbers, rows), _ended(numbers, rows)


def _pools(row: Batch | None) -> Iterator[tuple[str, bool]]:
    phase = row.phase if row else Phase.CHECK
    yield "New pool", row is not None and (row.completed_at is not None or phase is not Phase.CHECK)
    for each, name in _PHASES:
        yield name, phase is not each and phase.reached(each)


def _named(kind: BatchKind, numbers: Sequence[int], rows: dict[int, Batch]) -> str:
    noun = _NOUNS[kind]
    if kind is BatchKind.ALL or len(numbers) == 1:
        return noun if kind is BatchKind.ALL else f"{noun} {numbers[0]}"
    ended = sum(_ended([each], rows) for each in numbers)
    return f"{'Batches' if kind is BatchKind.BATCH else 'Stages'} {numbers[0]} to {numbers[-1]} ({ended} ended)"


def _ended(numbers: Sequence[int], rows: dict[int, Batch]) -> bool:
    return all((row := rows.get(each)) is not None and row.completed_at is not None for each in numbers)


def _rollback(execution: Execution) -> list[Step]:
    if execution.rollback.initiated_at is None:
        return []
    if execution.status is S.ROLLED_BACK:
        return [Step("Rollback", DONE)]
    return [Step("Rollback", STOPPED if execution.is_terminal else NOW._replace(tone="back"))]
