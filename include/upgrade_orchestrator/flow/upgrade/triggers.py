"""The triggers: data and a loop. The triggerer imports them by their dotted path."""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from airflow.triggers.base import BaseTrigger, TaskSkippedEvent, TaskSuccessEvent, TriggerEvent

from upgrade_orchestrator import bootstrap
from upgrade_orchestrator.domain.checks.checks import CheckName, CheckStatus
from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.plan.steps import Step, StepKind
from upgrade_orchestrator.flow.upgrade.shared_reads import SharedReads
from upgrade_orchestrator.service.checks.run import Validation, read_validation, run_check
from upgrade_orchestrator.service.ports.fleet import FleetError
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.runner.context import find_execution
from upgrade_orchestrator.service.runner.journal.task_log import written_together
from upgrade_orchestrator.service.runner.outcome import Ending, Outcome
from upgrade_orchestrator.service.steps.work import complete_step, run_step

log = logging.getLogger(__name__)

RETRY_SECONDS = 2.0
"Pause before the next try when the database or the fleet does not respond."
FIRST_STEP_SECONDS = 15.0
"""For how long after the start the checks are left to the execution's first step, which runs them together at a
fraction of the cost. It may have to wait for a worker."""
CONTROL_LOOP_GRACE_SECONDS = 5.0
"For how long a finished task is left to the control loops, which can end it at less cost."
T = TypeVar("T")
_shared_reads: SharedReads[Validation] = SharedReads()


class UpgradeTrigger(BaseTrigger):
    """A trigger for execution ``execution_id``; after a crash the next triggerer continues from the rows."""

    def __init__(self, execution_id: str) -> None:
        super().__init__()
        self.execution_id = execution_id

    def arguments(self) -> dict[str, Any]:
        """The arguments with which the triggerer constructs the trigger again."""
        return {"execution_id": self.execution_id}

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Dotted path and arguments."""
        return path_of(type(self)), self.arguments()

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield the only event."""
        yield await self.event()

    @abstractmethod
    async def event(self) -> TriggerEvent:
        """The event with which the trigger ends."""

    async def retrying(self, use_case: Callable[[Ports], Awaitable[T]]) -> T:
        """Run ``use_case``, repeating it until the database and the fleet respond."""
        while True:
            try:
                with written_together():
                    return await use_case(await bootstrap.open_ports())
            except (Unavailable, FleetError) as error:
                log.warning("execution %s: %s; trying again", self.execution_id, error)
                await asyncio.sleep(RETRY_SECONDS)

    async def succeed(self, message: str) -> TriggerEvent:
        """End the task successfully, unless the control loops do so first (see service/control/ended_tasks.py)."""
        log.info("%s; the control loops end this task, which Airflow logs as a trigger that a user cancelled", message)
        if self.task_instance is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(CONTROL_LOOP_GRACE_SECONDS):
                    await self._leave_to_control_loops(str(self.task_instance.id))
        return TaskSuccessEvent()

    async def _leave_to_control_loops(self, task_id: str) -> None:
        """Notify the control loops and wait for them. An error here must not fail a task whose work is done."""
        try:
            await (await bootstrap.open_ports()).task_ends.notify(task_id)
        except Exception as error:
            log.info("cannot notify the control loops that the task is done: %s", error)
        else:
            await asyncio.sleep(CONTROL_LOOP_GRACE_SECONDS)


class WorkTrigger(UpgradeTrigger):
    """Finishes work that a worker has begun; the event has its outcome."""

    def __init__(self, execution_id: str, kind: str, batch: int) -> None:
        super().__init__(execution_id)
        self.kind, self.batch = kind, batch

    def arguments(self) -> dict[str, Any]:
        """The arguments with which the triggerer constructs the trigger again."""
        return {**super().arguments(), "kind": self.kind, "batch": self.batch}

    async def event(self) -> TriggerEvent:
        """The outcome of the work, for the task that continues in a worker."""
        step = Step(StepKind(self.kind), self.batch)
        outcome = await self.retrying(
            partial(complete_step, execution_id=self.execution_id, step=step, seconds=None),
        )
        return TriggerEvent({"ending": outcome.ending.value, "reason": outcome.reason})


class StepTrigger(UpgradeTrigger):
    """Runs a whole task without a worker. ``last`` is the last of the batches that run as one.

    A failure is left to a worker, because Airflow would retry a task that its trigger fails.
    """

    def __init__(self, execution_id: str, kind: str, batch: int, last: int) -> None:
        super().__init__(execution_id)
        self.kind, self.batch, self.last = kind, batch, last

    def arguments(self) -> dict[str, Any]:
        """The arguments with which the triggerer constructs the trigger again."""
        return {**super().arguments(), "kind": self.kind, "batch": self.batch, "last": self.last}

    async def event(self) -> TriggerEvent:
        """The end of the task: success, failure if the execution has failed, or skipped if the step is not needed."""
        step = Step(StepKind(self.kind), self.batch, self.last)
        outcome = await self.retrying(
            partial(run_step, execution_id=self.execution_id, step=step, seconds=None),
        )
        message = f"{self.kind}: {outcome.ending.value} {outcome.reason}".rstrip()
        if outcome.ending is Ending.DONE:
            return await self.succeed(message)
        log.info("%s", message)
        return await self._end(outcome)

    async def _end(self, outcome: Outcome) -> TriggerEvent:
        if outcome.ending is Ending.SKIPPED:
            return TaskSkippedEvent()
        execution = await self.retrying(partial(find_execution, execution_id=self.execution_id))
        why = f"the execution is {execution.status.value}: {execution.status_reason}"
        if execution.status is ExecutionStatus.COMPLETED:  # another runner has done this task's work as well
            return await self.succeed(why)
        log.info("%s", why)
        return TriggerEvent(why) if execution.status is ExecutionStatus.FAILED else TaskSkippedEvent()


class CheckTrigger(UpgradeTrigger):
    """The task of one pre-upgrade check: reports its result, and runs the check if no other runner did."""

    def __init__(self, execution_id: str, check: str) -> None:
        super().__init__(execution_id)
        self.check = check

    def arguments(self) -> dict[str, Any]:
        """The arguments with which the triggerer constructs the trigger again."""
        return {**super().arguments(), "check": self.check}

    async def event(self) -> TriggerEvent:
        """The end of the task, which fails if the check has failed."""
        name = CheckName(self.check)
        result = await self.retrying(
            partial(
                run_check,
                execution_id=self.execution_id,
                name=name,
                again=self._is_repeated(),
                first_step_seconds=FIRST_STEP_SECONDS,
                read=_read_together,
            )
        )
        message = f"{name.value} {result.status.value}: {result.message}"
        if result.status is not CheckStatus.FAILED:
            return await self.succeed(message)
        log.info("%s", message)
        return TriggerEvent(result.message)

    def _is_repeated(self) -> bool:
        """Whether a person has cleared the task, so that the check must run again."""
        return self.task_instance is not None and self.task_instance.try_number > 1


def path_of(trigger: type[BaseTrigger]) -> str:
    """The dotted path from which the triggerer imports it."""
    return f"{trigger.__module__}.{trigger.__qualname__}"


async def _read_together(ports: Ports, execution_id: str) -> Validation:
    """The triggers of an execution's checks share one read."""
    return await _shared_reads.read(execution_id, partial(read_validation, ports, execution_id))
