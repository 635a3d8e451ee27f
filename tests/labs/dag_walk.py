"""Runs an execution's tasks as Airflow does: in their order, each again until it ends, skipping those after a stop."""

from __future__ import annotations

from collections.abc import Sequence

from upgrade_orchestrator.domain.approval.approval import StageState
from upgrade_orchestrator.domain.checks.checks import CheckName
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import ROLLBACK_BATCH
from upgrade_orchestrator.domain.plan.batch import Batch
from upgrade_orchestrator.domain.plan.plan import BatchKind
from upgrade_orchestrator.domain.plan.steps import Step, StepKind
from upgrade_orchestrator.service.approvals.decide import request_approval
from upgrade_orchestrator.service.checks.run import run_check
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.runner.context import find_execution
from upgrade_orchestrator.service.runner.outcome import Ending, Outcome
from upgrade_orchestrator.service.steps.work import complete_step, run_step

CHECKS, MONITOR, VERIFY, OUTCOME = "checks", "monitor", "verify", "outcome"
END, REVERT, CONFIRM, COMPLETE = "end", "revert", "confirm", "complete"
POOL_TASKS = [
    StepKind.CHECK_GREEN.value,
    StepKind.SWITCH_TRAFFIC.value,
    StepKind.SOAK.value,
    StepKind.RETIRE_BLUE.value,
]
DONE, STOPPED, UNFINISHED = (Outcome(each) for each in (Ending.DONE, Ending.STOPPED, Ending.UNFINISHED))


def batch_task(number: int) -> str:
    """The task of batch ``number``."""
    return f"batch {number}"


async def run_task(ports: Ports, execution_id: str, task: str, seconds: float | None) -> Outcome:
    """The use case behind the task, called as its operator does."""
    match task.split():
        case ["checks"]:
            for name in CheckName:
                await run_check(ports, execution_id, name)
        case ["batch", number]:
            return await run_step(ports, execution_id, Step(StepKind.BATCH, int(number)), seconds)
        case ["approve", stage]:
            return await _approve(ports, execution_id, int(stage), seconds)
        case ["verify"]:
            return await complete_step(ports, execution_id, Step(StepKind.VERIFY), seconds)
        case ["revert" | "confirm"]:
            return await run_step(ports, execution_id, Step(StepKind(task), ROLLBACK_BATCH), seconds)
        case [name] if name in POOL_TASKS or name in (MONITOR, END):
            return await run_step(ports, execution_id, Step(StepKind(name)), seconds)
    return DONE


async def _approve(ports: Ports, execution_id: str, stage: int, seconds: float | None) -> Outcome:
    """Asks and waits without a worker: a decision made meanwhile is seen at the next call."""
    match await request_approval(ports, execution_id, stage):
        case StageState.APPROVED:
            return DONE
        case StageState.OVER:
            return STOPPED
        case StageState.EARLY:
            early = await complete_step(ports, execution_id, Step(StepKind.BATCH, stage - 1), seconds)
            return STOPPED if early.ending is Ending.STOPPED else UNFINISHED
    return UNFINISHED


class DagWalk:
    """One DAG run. People may clear tasks or mark them successful, so that it continues at another task."""

    def __init__(self, execution_id: str, batches: Sequence[Batch]) -> None:
        self.execution_id = execution_id
        work = [task for each in batches for task in self._of(each)]
        self.tasks = [CHECKS, *work, VERIFY, OUTCOME]
        self.position = 0

    def _of(self, batch: Batch) -> list[str]:
        own = batch_task(batch.number)
        match batch.kind:
            case BatchKind.CANARY:
                return [own, MONITOR]
            case BatchKind.GREEN:
                return [own, *POOL_TASKS]
            case BatchKind.STAGE if batch.number > 1:
                return [f"approve {batch.number}", own]
        return [own]

    @property
    def next_task(self) -> str | None:
        """The task to run next; None once the run has ended."""
        return self.tasks[self.position] if self.position < len(self.tasks) else None

    @property
    def tasks_of_work(self) -> list[str]:
        """The tasks that work on instances, forward and back."""
        return [*self.tasks[: self.tasks.index(VERIFY)], REVERT, VERIFY]

    @property
    def tasks_of_end(self) -> list[str]:
        """The tasks that end the execution, whatever its state was before."""
        return [END, CONFIRM]

    async def note(self, ports: Ports, task: str, outcome: Outcome) -> None:
        """Note how the task has ended, which decides what runs next."""
        if task != self.next_task or outcome.ending is Ending.UNFINISHED:
            return
        if outcome.ending is Ending.STOPPED and task not in (END, REVERT, CONFIRM):
            self.position = self.tasks.index(OUTCOME)
            return
        self.position += 2 if task == REVERT and outcome.ending is Ending.SKIPPED else 1
        if task == OUTCOME:
            self.tasks[self.position :] = [COMPLETE] if await self._is_completed(ports) else [END, REVERT, CONFIRM]

    async def _is_completed(self, ports: Ports) -> bool:
        return (await find_execution(ports, self.execution_id)).status is ExecutionStatus.COMPLETED

    def go_to(self, task: str) -> None:
        """Continue at the task: it was cleared, or all before it were marked successful. The branch is chosen again."""
        if task not in self.tasks:
            return
        self.position, branch = self.tasks.index(task), self.tasks.index(OUTCOME) + 1
        if self.position < branch:
            self.tasks[branch:] = []
